import { useEffect, useRef, useState } from "react";
import { Button } from "react-aria-components";

import { count, plural } from "../controls/format";
import { Icon } from "../controls/icons";

interface Props {
  length: number;
  goTo: (row: number) => void;
  /** Grows when the field is asked for again. */
  asks: number;
  close: () => void;
}

/** "1,204" as a number; null if it is none of a row. */
function rowNumber(text: string, length: number): number | null {
  const digits = text.replace(/[\s,]/g, "");
  const number = /^\d+$/.test(digits) ? Number(digits) : 0;
  return number >= 1 && number <= length ? number : null;
}

/** Goes to a row by its number. */
export function GoToRow({ length, goTo, asks, close }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const [isWrong, setWrong] = useState(false);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, [asks]);
  return (
    <div className="find-bar" role="group" aria-label="Go to a row" data-testid="go-to-bar">
      <input
        ref={input}
        className="input"
        type="text"
        inputMode="numeric"
        aria-label="Row number"
        aria-invalid={isWrong || undefined}
        placeholder={`1 to ${count(length)}`}
        autoComplete="off"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setWrong(false);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") {
            const number = rowNumber(text, length);
            if (number === null) setWrong(true);
            else {
              goTo(number - 1);
              close();
            }
          } else if (event.key === "Escape") close();
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
        data-testid="go-to-input"
      />
      <span role="status" data-testid="go-to-state">
        {isWrong && `Type a number: there are ${plural(length, "row")}.`}
      </span>
      <span className="spacer" />
      <Button className="icon-button" aria-label="Close" onPress={close}>
        <Icon name="close" />
      </Button>
    </div>
  );
}
