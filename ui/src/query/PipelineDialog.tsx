import { useQuery } from "@tanstack/react-query";
import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";

import { type QueryInput, toFailure, type ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { CopyButton } from "../controls/CopyButton";
import { FailureNote } from "../controls/FailureNote";

/** A query from the form, or a cached one. */
export type PipelineOf = { query: QueryInput } | { key: ViewKey };

/** The MongoDB pipeline of a query, to read and to copy. */
export function PipelineDialog({ of, close }: { of: PipelineOf; close: () => void }) {
  const backend = useBackend();
  const { data: text, error } = useQuery({
    queryKey: ["pipeline", of],
    queryFn: () => ("query" in of ? backend.pipeline(of.query) : backend.cachedPipeline(of.key)),
    // The source may have another mapping when the dialog is opened again.
    gcTime: 0,
  });

  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => !open && close()}>
      <Modal className="modal">
        <Dialog className="dialog" data-testid="pipeline-dialog">
          <Heading slot="title" className="dialog-title">
            MongoDB pipeline
          </Heading>
          {error && <FailureNote failure={toFailure(error)} />}
          {/* Focusable, so that the keyboard can scroll it. */}
          <pre className="code-block" tabIndex={0} data-testid="pipeline-text">
            {text ?? (error ? "" : "Loading")}
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
