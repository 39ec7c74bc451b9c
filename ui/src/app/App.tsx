import { useEffect } from "react";

import { FailureNote } from "../controls/FailureNote";
import { Toasts } from "../controls/toasts";
import { useSettings } from "../settings/useSettings";
import { useSource } from "../source/useSource";
import { ErrorBoundary } from "./ErrorBoundary";
import { mendLostPresses } from "./lostPresses";
import { TextMenu } from "./TextMenu";
import { useTheme } from "./useTheme";
import { Workspace } from "./Workspace";

/** The window from its first moment on. */
export function App() {
  const source = useSource();
  const settings = useSettings();
  const theme = useTheme(settings);
  useEffect(mendLostPresses, []);
  if (source.view === null) {
    return (
      <div className="starting" role="status">
        {source.failure ? <FailureNote failure={source.failure} /> : "Starting"}
      </div>
    );
  }
  return (
    <ErrorBoundary what="The window">
      <Toasts>
        <Workspace
          source={source}
          view={source.view}
          settings={settings}
          theme={theme.choice}
          nextTheme={theme.next}
        />
        <TextMenu />
      </Toasts>
    </ErrorBoundary>
  );
}
