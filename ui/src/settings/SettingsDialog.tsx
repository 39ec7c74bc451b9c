import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";

import type { SettingsView, ShownZone, Theme } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { Icon } from "../controls/icons";
import { keyText } from "../controls/keys";
import { DatabaseTeamDialog } from "../guide/DatabaseTeamDialog";
import { TEXT_SIZES, textSizeOf } from "../rows/dataZoom";
import type { DataZoom } from "../rows/useDataZoom";
import { CacheFolder } from "./CacheFolder";
import { Choice } from "../controls/Choice";
import { MemoryLimit } from "./MemoryLimit";
import { localZone } from "../controls/localZone";
import type { Settings } from "./useSettings";

interface Props {
  settings: Settings;
  /** The zone of the days of the source in use. */
  dayZone: string;
  /** A fetch or an export is running. */
  busy: boolean;
  /** The text size of rows and documents. */
  text: DataZoom;
  /** The form of the query folds when an answer arrives. */
  formFolds: boolean;
  setFormFolds: (folds: boolean) => void;
  /** The disk space that the cache uses, with a way to change how much it may use. */
  budget: ReactNode;
  close: () => void;
}

const THEMES: { id: Theme; label: string }[] = [
  { id: "system", label: "System" },
  { id: "light", label: "Light" },
  { id: "dark", label: "Dark" },
];

const zones = (dayZone: string): { id: ShownZone; label: string }[] => [
  { id: "days", label: `The days' zone (${dayZone})` },
  { id: "local", label: `This computer's (${localZone()})` },
  { id: "utc", label: "UTC" },
];

/** The settings of this computer. Each takes effect at once. */
export function SettingsDialog(props: Props) {
  const { settings, busy, close } = props;
  const [asking, setAsking] = useState(false);
  const { view, failure, dismiss } = settings;
  // What was refused here has been read here: it must not go on in the window behind the dialog.
  useEffect(() => dismiss, [dismiss]);
  // Most of what is refused is refused because of a fetch or an export.
  const wasBusy = useRef(busy);
  useEffect(() => {
    if (wasBusy.current && !busy) dismiss();
    wasBusy.current = busy;
  }, [busy, dismiss]);
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => !open && close()}>
      <Modal className="modal">
        <Dialog className="dialog settings-dialog" data-testid="settings-dialog">
          <Heading slot="title" className="dialog-title">
            Settings
          </Heading>
          <div className="settings-body">
            {failure && <FailureNote failure={failure} testId="settings-failure" dismiss={dismiss} />}
            {view && <Fields {...props} view={view} />}
          </div>
          <div className="buttons">
            <Button
              className="button quiet"
              onPress={() => setAsking(true)}
              data-testid="settings-database-team"
            >
              What a database team may ask
            </Button>
            <Button className="button primary" onPress={close} autoFocus data-testid="settings-close">
              Close
            </Button>
          </div>
        </Dialog>
      </Modal>
      {asking && <DatabaseTeamDialog close={() => setAsking(false)} />}
    </ModalOverlay>
  );
}

type FieldProps = Omit<Props, "close"> & { view: SettingsView };

const FOLDING = [
  { id: "folds", label: "Folds when an answer arrives" },
  { id: "stays", label: "Stays open" },
] as const;

function Fields({ view, settings, dayZone, busy, budget, text, formFolds, setFormFolds }: FieldProps) {
  return (
    <>
      {view.notice !== null && (
        <div className="note note-partial" data-testid="settings-notice">
          <Icon name="warn" />
          <div className="note-body">{view.notice}</div>
        </div>
      )}
      <CacheFolder view={view} busy={busy} moveCache={settings.moveCache} />
      <div>
        <span className="field-label">Disk space</span>
        {budget}
      </div>
      <MemoryLimit view={view} attempt={settings.attempt} />
      <div>
        <span className="field-label">Theme</span>
        <div>
          <Choice
            label="Theme"
            value={view.theme}
            options={THEMES}
            testId="settings-theme"
            change={(theme) => void settings.change({ setting: "theme", theme })}
          />
        </div>
      </div>
      <div>
        <span className="field-label">Text size of rows and documents</span>
        <div>
          <Choice
            label="Text size of rows and documents"
            value={textSizeOf(text.zoom)}
            options={TEXT_SIZES}
            testId="settings-text"
            change={text.change}
          />
        </div>
        <p className="faint settings-hint">
          {keyText("window", "larger")} and {keyText("window", "smaller")} set further sizes.
        </p>
      </div>
      <div>
        <span className="field-label">The form of the query</span>
        <div>
          <Choice
            label="The form of the query"
            value={formFolds ? "folds" : "stays"}
            options={FOLDING}
            testId="settings-form"
            change={(choice) => setFormFolds(choice === "folds")}
          />
        </div>
      </div>
      <div>
        <span className="field-label">Times are shown in</span>
        <div>
          <Choice
            label="Times are shown in"
            value={view.zone}
            options={zones(dayZone)}
            testId="settings-zone"
            change={(zone) => void settings.change({ setting: "zone", zone })}
          />
        </div>
        <p className="faint settings-hint">
          Times in rows and documents stay as MongoDB has them. The days of a query always follow the source.
        </p>
      </div>
      <p className="faint settings-hint">
        The settings are stored in{" "}
        <span className="path" data-testid="settings-file">
          {view.file}
        </span>
      </p>
    </>
  );
}
