import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";

import { type Failure, type SettingsChange, type SettingsView, toFailure } from "../backend";
import { useBackend } from "../backend/context";
import { CACHED_KEY, PLAN_KEY, SETTINGS_KEY } from "../backend/queryKeys";

export interface Settings {
  /** Null until they are known. */
  view: SettingsView | null;
  /** Why they could not be read or changed. */
  failure: Failure | null;
  dismiss: () => void;
  /** Resolves to whether it worked. */
  change: (change: SettingsChange) => Promise<boolean>;
  /** The same, for a field that shows by itself why it was refused. */
  attempt: (change: SettingsChange) => Promise<Failure | null>;
  /** Asks for a folder and moves the cache there. */
  moveCache: () => Promise<void>;
}

/** The settings with a change that takes effect before it is stored. */
function withChange(view: SettingsView, change: SettingsChange): SettingsView {
  if (change.setting === "theme") return { ...view, theme: change.theme };
  return change.setting === "zone" ? { ...view, zone: change.zone } : view;
}

/** The settings of this computer. */
export function useSettings(): Settings {
  const backend = useBackend();
  const client = useQueryClient();
  const [refused, setRefused] = useState<Failure | null>(null);
  const { data, error } = useQuery({
    queryKey: SETTINGS_KEY,
    queryFn: () => backend.settings(),
    staleTime: Infinity,
  });
  const show = useCallback((view: SettingsView) => client.setQueryData(SETTINGS_KEY, view), [client]);

  const attempt = useCallback(
    async (change: SettingsChange) => {
      setRefused(null);
      const before = client.getQueryData<SettingsView>(SETTINGS_KEY);
      if (before !== undefined) show(withChange(before, change));
      try {
        show(await backend.changeSettings(change));
        return null;
      } catch (error) {
        // It may be in force until the program ends, although it could not be stored.
        await client.invalidateQueries({ queryKey: SETTINGS_KEY });
        return toFailure(error);
      }
    },
    [backend, client, show],
  );
  const change = useCallback(
    async (change: SettingsChange) => {
      const failure = await attempt(change);
      if (failure !== null) setRefused(failure);
      return failure === null;
    },
    [attempt],
  );
  const moveCache = useCallback(async () => {
    setRefused(null);
    try {
      const moved = await backend.moveCache();
      if (moved === null) return;
      show(moved);
      void client.invalidateQueries({ queryKey: CACHED_KEY });
    } catch (error) {
      setRefused(toFailure(error));
    } finally {
      // A plan that was made meanwhile says that the cache is being moved.
      void client.invalidateQueries({ queryKey: PLAN_KEY });
    }
  }, [backend, client, show]);
  const dismiss = useCallback(() => setRefused(null), []);

  return {
    view: data ?? null,
    failure: refused ?? (error === null ? null : toFailure(error)),
    dismiss,
    change,
    attempt,
    moveCache,
  };
}
