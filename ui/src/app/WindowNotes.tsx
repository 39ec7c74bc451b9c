import { useState } from "react";

import { DismissibleNote } from "../controls/DismissibleNote";
import { FailureNote } from "../controls/FailureNote";
import type { Settings } from "../settings/useSettings";

interface Props {
  settings: Settings;
  /** What of a request of the command line could not be followed. */
  request: { problem: string | null; dismiss: () => void };
}

/** What is to be read once: about the settings, and about what the command line asked for. */
export function WindowNotes({ settings, request: { problem, dismiss } }: Props) {
  const [read, setRead] = useState<string | null>(null);
  const notice = settings.view?.notice ?? null;
  const isNew = notice !== null && notice !== read;
  if (!isNew && problem === null && settings.failure === null) return null;
  return (
    <div className="window-notes">
      {isNew && <DismissibleNote text={notice} testId="settings-note" dismiss={() => setRead(notice)} />}
      {problem !== null && <DismissibleNote text={problem} testId="open-note" dismiss={dismiss} />}
      {settings.failure && (
        <FailureNote failure={settings.failure} testId="settings-note-failure" dismiss={settings.dismiss} />
      )}
    </div>
  );
}
