import { useState } from "react";

import type { SettingsView } from "../backend";
import { HintButton } from "../controls/HintButton";

interface Props {
  view: SettingsView;
  /** A fetch or an export is running. */
  busy: boolean;
  moveCache: () => Promise<void>;
}

/** Where the cache is, and a way to move it. */
export function CacheFolder({ view, busy, moveCache }: Props) {
  const [moving, setMoving] = useState(false);
  const fixed = view.cache_folder_is_fixed;
  const running = busy ? "A fetch or an export is running." : null;
  const blocked = fixed ?? running ?? (moving ? "The cache is being moved." : null);
  return (
    <div>
      <span className="field-label">Cache folder</span>
      <div className="settings-line">
        <span className="path" data-testid="settings-folder">
          {view.cache_folder}
        </span>
        <HintButton
          className="button"
          testId="settings-move"
          hint="Choose a folder and move every cached query there"
          blocked={blocked}
          press={() => {
            setMoving(true);
            void moveCache().finally(() => setMoving(false));
          }}
        >
          {moving ? "Moving" : "Move…"}
        </HintButton>
      </div>
      <p className="faint settings-hint" data-testid="settings-move-hint">
        {fixed ?? "It cannot be moved while a fetch or an export is running."}
      </p>
    </div>
  );
}
