import { useEffect, useState } from "react";
import { Button } from "react-aria-components";

import { useBackend } from "../backend/context";
import { Icon } from "./icons";

type CopyResult = "copied" | "refused" | null;

interface Props {
  text: string;
  label?: string;
  /** What is copied, so that a screen reader can distinguish several such buttons. */
  about?: string;
  quiet?: boolean;
  testId?: string;
}

/** Copies a text and shows whether that worked. */
export function CopyButton({ text, label = "Copy", about, quiet, testId = "copy-button" }: Props) {
  const backend = useBackend();
  const [result, setResult] = useState<CopyResult>(null);
  useEffect(() => {
    if (result === null) return;
    const timer = setTimeout(() => setResult(null), 2000);
    return () => clearTimeout(timer);
  }, [result]);
  const words = { copied: "Copied", refused: "Could not copy" };
  return (
    <Button
      className={quiet === true ? "button quiet small" : "button"}
      aria-label={about === undefined ? undefined : `${label} ${about}`}
      isDisabled={text === ""}
      data-testid={testId}
      onPress={() => {
        backend.copyText(text).then(
          () => setResult("copied"),
          () => setResult("refused"),
        );
      }}
    >
      <Icon name={result === "copied" ? "check" : "copy"} />
      <span aria-live="polite">{result === null ? label : words[result]}</span>
    </Button>
  );
}
