import { Button } from "react-aria-components";

interface Props {
  discard: () => void;
  keep: () => void;
}

/** Asked in place of the buttons of a form that would be closed with what was typed in it. */
export function DiscardQuestion({ discard, keep }: Props) {
  return (
    <div className="buttons discard" role="group" aria-label="Discard changes?" data-testid="source-discard">
      <p role="alert">
        <strong>Discard changes?</strong> What you typed has not been saved.
      </p>
      <Button className="button danger" onPress={discard} data-testid="source-discard-confirm">
        Discard
      </Button>
      <Button className="button primary" onPress={keep} autoFocus data-testid="source-keep">
        Go back
      </Button>
      {/* Nothing takes the place of Connect and Save, where a second click may still go. */}
      <span className="spacer" />
    </div>
  );
}
