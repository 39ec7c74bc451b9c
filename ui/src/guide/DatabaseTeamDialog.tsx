import { lazy, Suspense } from "react";
import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";

// The document itself, so that the window and the repository never say different things.
import text from "../../../docs/database-team.md?raw";
import { CopyButton } from "../controls/CopyButton";

// Loaded when it is first shown: reading Markdown takes code that the start of the window should not wait for.
const Document = lazy(async () => ({ default: (await import("./Document")).Document }));

/** What a database team may ask, and the answers, to read offline or to copy. */
export function DatabaseTeamDialog({ close }: { close: () => void }) {
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => !open && close()}>
      <Modal className="modal wide-modal">
        <Dialog className="dialog guide" data-testid="database-team-dialog">
          <Heading slot="title" className="dialog-title">
            For the database team
          </Heading>
          {/* Focusable, so that the keyboard can scroll it. */}
          <div className="guide-text" role="region" aria-label="For the database team" tabIndex={0}>
            <Suspense fallback={<p className="faint">Loading</p>}>
              <Document text={text} />
            </Suspense>
          </div>
          <div className="buttons">
            <CopyButton text={text} label="Copy all" testId="database-team-copy" />
            <Button className="button primary" onPress={close} autoFocus>
              Close
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
