import { Button } from "react-aria-components";

import { Icon } from "./icons";

interface Props {
  text: string;
  testId: string;
  dismiss: () => void;
}

/** A sentence to be read once. */
export function DismissibleNote({ text, testId, dismiss }: Props) {
  return (
    <div className="note note-partial" role="status" data-testid={testId}>
      <Icon name="warn" />
      <div className="note-body">{text}</div>
      <Button className="icon-button" aria-label="Dismiss" onPress={dismiss}>
        <Icon name="close" size={12} />
      </Button>
    </div>
  );
}
