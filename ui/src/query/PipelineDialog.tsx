import { useEffect, useState } from "react";
import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";

import { type Failure, type QueryInput, toFailure, type ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { CopyButton } from "../controls/CopyButton";
import { FailureNote } from "../controls/FailureNote";

/** A query from the form, or a cached one. */
export type PipelineOf = { query: QueryInput } | { key: ViewKey };

/** The MongoDB pipeline of a query, to read and to copy. */
export function PipelineDialog({ of, close }: { of: PipelineOf; close: () => void }) {
  const backend = useBackend();
  const [text, setText] = useState<string | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => {
    let live = true;
    const reading = "query" in of ? backend.pipeline(of.query) : backend.cachedPipeline(of.key);
    reading.then(
      (found) => live && setText(found),
      (error: unknown) => live && setFailure(toFailure(error)),
    );
    return () => {
      live = false;
    };
  }, [backend, of]);

  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => !open && close()}>
      <Modal className="modal">
        <Dialog className="dialog" data-testid="pipeline-dialog">
          <Heading slot="title" className="dialog-title">
            MongoDB pipeline
          </Heading>
          {failure && <FailureNote failure={failure} />}
          {/* Focusable, so that the keyboard can scroll it. */}
          <pre className="code-block" tabIndex={0} data-testid="pipeline-text">
            {text ?? (failure ? "" : "Loading")}
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
