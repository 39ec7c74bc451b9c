import { useEffect } from "react";

import { Desk } from "./components/Desk";
import { ErrorBoundary } from "./components/ErrorBoundary";
import { FailureNote } from "./components/FailureNote";
import { TextMenu } from "./components/TextMenu";
import { mendLostPresses } from "./state/lostPresses";
import { useSource } from "./state/useSource";
import { useTheme } from "./state/useTheme";

/** The window from its first moment on. */
export function App() {
  const source = useSource();
  const theme = useTheme();
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
      <Desk source={source} view={source.view} theme={theme.choice} nextTheme={theme.next} />
      <TextMenu />
    </ErrorBoundary>
  );
}
