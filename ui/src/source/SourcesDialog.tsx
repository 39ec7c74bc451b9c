import { useRef, useState } from "react";
import { Dialog, Modal, ModalOverlay } from "react-aria-components";

import type { SourceView } from "../backend";
import { duplicateSource, editSource, type FormStart, newSource } from "./entered";
import { SourceForm } from "./SourceForm";
import { SourceList } from "./SourceList";
import type { SourceActions } from "./useSource";

/** What the dialog opens with: the list, or the form of the source in use. */
export type SourcesEntry = "list" | "in_use";

interface Props {
  entry: SourcesEntry;
  /** The part of the form to begin with, if not its start. */
  section?: string | null;
  view: SourceView;
  actions: SourceActions;
  /** A run is in progress; connecting to a different source ends it. */
  running: boolean;
  close: () => void;
}

function firstForm(entry: SourcesEntry, { sources, in_use, has_keychain }: SourceView): FormStart | null {
  // With nothing to list, the form of a new source is what one came for.
  if (sources.length === 0) return newSource(has_keychain);
  const used = sources.find(({ id }) => id === in_use);
  return entry === "in_use" && used !== undefined ? editSource(used) : null;
}

/** The sources: their list, and the form of one of them. */
export function SourcesDialog({ entry, section = null, view, actions, running, close }: Props) {
  const [form, setForm] = useState(() => firstForm(entry, view));
  // A form that was not opened from the list leads to no list.
  const [cameFromList] = useState(form === null);
  const [hasSaved, setHasSaved] = useState(false);
  const leaveForm = () => (cameFromList || hasSaved ? setForm(null) : close());
  const { sources, has_keychain } = view;
  const escapeForm = useRef<(() => void) | null>(null);
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      onOpenChange={(open) => {
        if (!open) (form === null ? close : escapeForm.current)?.();
      }}
    >
      <Modal className="modal">
        <Dialog
          // The list and the form are different dialogs: each begins with its own focus.
          key={form === null ? "list" : "form"}
          className="dialog source-dialog"
          data-testid={form === null ? "sources-dialog" : "source-dialog"}
        >
          {form === null ? (
            <SourceList
              view={view}
              actions={actions}
              running={running}
              add={() => setForm(newSource(has_keychain))}
              edit={(source) => setForm(editSource(source))}
              duplicate={(source) => setForm(duplicateSource(source, sources))}
              close={close}
            />
          ) : (
            <SourceForm
              start={form}
              section={section}
              view={view}
              actions={actions}
              running={running}
              done={(how) => {
                if (how === "connected") return close();
                // The list shows that it was saved, and lets it be used.
                setHasSaved(true);
                setForm(null);
              }}
              close={leaveForm}
              escapeRef={escapeForm}
            />
          )}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
