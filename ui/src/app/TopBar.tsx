import { Button } from "react-aria-components";

import type { Connection, SourceView, Theme } from "../backend";
import { Icon, type IconName, Mark } from "../controls/icons";
import { keyText } from "../controls/keys";
import { ConnectionStatus } from "../source/ConnectionStatus";
import { SourceButton } from "../source/SourceButton";
import type { SourceActions } from "../source/useSource";

interface Props {
  view: SourceView;
  connection: Connection;
  actions: Pick<SourceActions, "connect" | "use">;
  theme: Theme;
  nextTheme: () => void;
  openSource: () => void;
  openHelp: () => void;
  openSettings: () => void;
  panelOpen: boolean;
  togglePanel: () => void;
}

const THEME_ICONS: Record<Theme, IconName> = { system: "screen", light: "sun", dark: "moon" };

export function TopBar(props: Props) {
  const { view, connection, actions, theme } = props;
  const saved = view.sources.find(({ id }) => id === view.in_use);
  return (
    <header className="top-bar" data-region="top" data-colour={saved?.colour}>
      <Button
        className="icon-button"
        aria-label={props.panelOpen ? "Hide the side panel" : "Show the side panel"}
        aria-expanded={props.panelOpen}
        onPress={props.togglePanel}
        data-testid="panel-toggle"
      >
        <Icon name="panel" size={16} />
      </Button>
      <Mark />
      <h1 className="product">Tidemark</h1>
      <SourceButton view={view} switchTo={actions.use} openSources={props.openSource} />
      <span className="spacer" />
      <ConnectionStatus connection={connection} view={view} connect={actions.connect} />
      <Button
        className="icon-button"
        aria-label="Keyboard shortcuts"
        onPress={props.openHelp}
        data-testid="help-button"
      >
        <Icon name="keys" size={16} />
      </Button>
      <Button
        className="icon-button"
        aria-label={`Theme: ${theme}. Press to change.`}
        onPress={props.nextTheme}
        data-testid="theme-toggle"
        data-theme-choice={theme}
      >
        <Icon name={THEME_ICONS[theme]} size={16} />
      </Button>
      <Button
        className="icon-button"
        aria-label={`Settings (${keyText("window", "settings")})`}
        onPress={props.openSettings}
        data-testid="settings-button"
      >
        <Icon name="cog" size={16} />
      </Button>
    </header>
  );
}
