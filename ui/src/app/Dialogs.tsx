import type { ReactNode } from "react";

import type { CachedQuery, SourceView } from "../backend";
import { RepairContext, type SourceSection } from "../controls/repair";
import { DatabaseTeamDialog } from "../guide/DatabaseTeamDialog";
import { titleOf } from "../library/cachedText";
import { PipelineDialog, type PipelineOf } from "../query/PipelineDialog";
import type { DataZoom } from "../rows/useDataZoom";
import { SettingsDialog } from "../settings/SettingsDialog";
import type { Settings } from "../settings/useSettings";
import { SourcesDialog } from "../source/SourcesDialog";
import type { Source } from "../source/useSource";
import { type FindIn, FindTradeDialog } from "../trades/FindTradeDialog";
import { CommandPalette, type PaletteChoice } from "./CommandPalette";
import { ShortcutsDialog } from "./ShortcutsDialog";

/** The dialog that is open. */
export type OpenDialog =
  | { kind: "sources" }
  | { kind: "edit"; section: SourceSection }
  | { kind: "settings" }
  | { kind: "guide" }
  | { kind: "help" }
  | { kind: "palette" }
  | { kind: "find_trade" }
  | { kind: "pipeline"; of: PipelineOf };

interface Props {
  dialog: OpenDialog;
  source: Source;
  view: SourceView;
  settings: Settings;
  running: boolean;
  exporting: boolean;
  budget: ReactNode;
  text: DataZoom;
  formFolds: boolean;
  setFormFolds: (folds: boolean) => void;
  /** What the search for trades needs. */
  findIn: FindIn;
  /** For the palette. */
  hasRows: boolean;
  cached: readonly CachedQuery[];
  names: Readonly<Record<string, string>>;
  choose: (choice: PaletteChoice) => void;
  close: () => void;
}

/** The dialogs of the window, of which at most one is open. */
export function Dialogs(props: Props) {
  const { dialog, source, view, settings, running, exporting, budget, close } = props;
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
          text={props.text}
          formFolds={props.formFolds}
          setFormFolds={props.setFormFolds}
          close={close}
        />
      );
    case "guide":
      return <DatabaseTeamDialog close={close} />;
    case "help":
      return <ShortcutsDialog close={close} />;
    case "palette":
      return (
        <CommandPalette
          hasRows={props.hasRows}
          cached={props.cached}
          nameOf={(query) => titleOf(query, props.names)}
          choose={props.choose}
          close={close}
        />
      );
    case "find_trade":
      return <FindTradeDialog findIn={props.findIn} close={close} />;
    case "pipeline":
      return <PipelineDialog of={dialog.of} close={close} />;
  }
}
