import { useEffect, useState } from "react";
import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";

import { type Failure, type QueryInput, toFailure } from "../backend";
import { useBackend } from "../state/backendContext";
import { CopyButton } from "./CopyButton";
import { FailureNote } from "./FailureNote";

/** The MongoDB pipeline of a query, to read and to copy. */
export function PipelineDialog({ query, close }: { query: QueryInput; close: () => void }) {
  const backend = useBackend();
  const [text, setText] = useState<string | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => {
    let live = true;
    backend.pipeline(query).then(
      (found) => live && setText(found),
      (error: unknown) => live && setFailure(toFailure(error)),
    );
    return () => {
      live = false;
    };
  }, [backend, query]);

  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => !open && close()}>
      <Modal className="modal">
        <Dialog className="dialog" data-testid="pipeline-dialog">
          <Heading slot="title" className="dialog-title">
            MongoDB pipeline
          </Heading>
          {failure && <FailureNote failure={failure} />}
          {/* It takes the focus so that a long pipeline scrolls with the keys. */}
          <pre className="code-block" tabIndex={0} data-testid="pipeline-text">
            {text ?? (failure ? "" : "Reading")}
          </pre>
          <div className="buttons">
            <CopyButton text={text ?? ""} />
            <Button className="button primary" onPress={close} autoFocus>
              Close
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
