import type { ReactNode } from "react";

import type { SourceView } from "../backend";
import { RepairContext, type SourceSection } from "../controls/repair";
import { DatabaseTeamDialog } from "../guide/DatabaseTeamDialog";
import { PipelineDialog, type PipelineOf } from "../query/PipelineDialog";
import { SettingsDialog } from "../settings/SettingsDialog";
import type { Settings } from "../settings/useSettings";
import { SourcesDialog } from "../source/SourcesDialog";
import type { Source } from "../source/useSource";
import { ShortcutsDialog } from "./ShortcutsDialog";

/** The dialog that is open. */
export type OpenDialog =
  | { kind: "sources" }
  | { kind: "edit"; section: SourceSection }
  | { kind: "settings" }
  | { kind: "guide" }
  | { kind: "help" }
  | { kind: "pipeline"; of: PipelineOf };

interface Props {
  dialog: OpenDialog;
  source: Source;
  view: SourceView;
  settings: Settings;
  running: boolean;
  exporting: boolean;
  budget: ReactNode;
  close: () => void;
}

/** The dialogs of the window, of which at most one is open. */
export function Dialogs({ dialog, source, view, settings, running, exporting, budget, close }: Props) {
  switch (dialog.kind) {
    case "sources":
    case "edit":
      return (
        // A failure in the form of the source needs no way to that form.
        <RepairContext value={null}>
          <SourcesDialog
            entry={dialog.kind === "edit" ? "in_use" : "list"}
            section={dialog.kind === "edit" ? dialog.section : null}
            view={view}
            actions={source}
            running={running}
            close={close}
          />
        </RepairContext>
      );
    case "settings":
      return (
        <SettingsDialog
          settings={settings}
          dayZone={view.day_zone}
          busy={running || exporting}
          budget={budget}
          close={close}
        />
      );
    case "guide":
      return <DatabaseTeamDialog close={close} />;
    case "help":
      return <ShortcutsDialog close={close} />;
    case "pipeline":
      return <PipelineDialog of={dialog.of} close={close} />;
  }
}
