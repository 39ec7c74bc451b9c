import { useEffect, useState } from "react";
import { Button } from "react-aria-components";

import { useBackend } from "../state/backendContext";
import { Icon } from "./icons";

type Told = "copied" | "refused" | null;

interface Props {
  text: string;
  label?: string;
  /** What is copied, for who hears one of many such buttons. */
  about?: string;
  quiet?: boolean;
  testId?: string;
}

/** Copies a text and says whether that went well. */
export function CopyButton({ text, label = "Copy", about, quiet, testId = "copy-button" }: Props) {
  const backend = useBackend();
  const [told, setTold] = useState<Told>(null);
  useEffect(() => {
    if (told === null) return;
    const timer = setTimeout(() => setTold(null), 2000);
    return () => clearTimeout(timer);
  }, [told]);
  const words = { copied: "Copied", refused: "Could not copy" };
  return (
    <Button
      className={quiet === true ? "button quiet small" : "button"}
      aria-label={about === undefined ? undefined : `${label} ${about}`}
      isDisabled={text === ""}
      data-testid={testId}
      onPress={() => {
        backend.copyText(text).then(
          () => setTold("copied"),
          () => setTold("refused"),
        );
      }}
    >
      <Icon name={told === "copied" ? "check" : "copy"} />
      <span aria-live="polite">{told === null ? label : words[told]}</span>
    </Button>
  );
}
