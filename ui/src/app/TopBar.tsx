import { Button } from "react-aria-components";

import type { Connection, SourceName, SourceProfile } from "../backend";
import { Icon, type IconName, Mark } from "../controls/icons";
import { ConnectionStatus } from "../source/ConnectionStatus";
import type { Connect } from "../source/useSource";
import type { ThemeChoice } from "./useTheme";

interface Props {
  profile: SourceProfile | null;
  /** How the source is called. */
  source: SourceName | null;
  connection: Connection;
  connect: Connect;
  theme: ThemeChoice;
  nextTheme: () => void;
  openSource: () => void;
  openHelp: () => void;
  panelOpen: boolean;
  togglePanel: () => void;
}

const THEME_ICONS: Record<ThemeChoice, IconName> = { system: "screen", light: "sun", dark: "moon" };

export function TopBar(props: Props) {
  const { profile, source, connection, theme } = props;
  return (
    <header className="top-bar" data-region="top">
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
      <Button className="source-name" onPress={props.openSource} data-testid="source-button">
        {profile === null ? (
          <strong>Set up a source</strong>
        ) : (
          <>
            <strong>
              {profile.database}.{profile.collection}
            </strong>
            <span className="faint source-host">{source?.hosts}</span>
          </>
        )}
        <Icon name="gear" />
      </Button>
      <span className="spacer" />
      <ConnectionStatus connection={connection} profile={profile} source={source} connect={props.connect} />
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
    </header>
  );
}
