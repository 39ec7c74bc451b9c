import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";

import { helpGroups } from "../controls/keys";
import { LogsButton } from "../controls/LogsButton";

const GROUPS = helpGroups();

/** The list of keyboard shortcuts. */
export function ShortcutsDialog({ close }: { close: () => void }) {
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => !open && close()}>
      <Modal className="modal">
        <Dialog className="dialog" data-testid="shortcuts-dialog">
          <Heading slot="title" className="dialog-title">
            Keyboard shortcuts
          </Heading>
          {/* Focusable, so that the keyboard can scroll it. */}
          <div className="shortcuts" role="region" aria-label="List of shortcuts" tabIndex={0}>
            {GROUPS.map(({ where, lines }) => (
              <section key={where}>
                <h3>{where}</h3>
                <dl>
                  {lines.map(({ keys, does }) => (
                    <div key={keys}>
                      <dt>{keys}</dt>
                      <dd>{does}</dd>
                    </div>
                  ))}
                </dl>
              </section>
            ))}
          </div>
          <div className="buttons">
            <LogsButton />
            <Button className="button primary" onPress={close} autoFocus>
              Close
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
