import { type CSSProperties, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Button } from "react-aria-components";

import { otherSourceText } from "../answer/otherSource";
import { type SourceView, type Theme, toFailure } from "../backend";
import type { SourceSection } from "../controls/repair";
import { useToast } from "../controls/toasts";
import { useCopy } from "../controls/useCopy";
import { usePanelSize } from "../controls/usePanelSize";
import { useStored } from "../controls/useStored";
import { CacheBudget } from "../library/CacheBudget";
import { CachedPanel } from "../library/CachedPanel";
import { usePlan } from "../plan/usePlan";
import { blocksFetch, failureTargetOf, isOfForm } from "../query/failureTarget";
import { commitDrafts, sameQuery, toQuery } from "../query/filters";
import { QueryChips } from "../query/QueryChips";
import { useQueryFilters } from "../query/queryFilters";
import { QueryForm } from "../query/QueryForm";
import { useForm } from "../query/useForm";
import type { RowsCommands } from "../rows/rowsCommands";
import { ZoomStatus } from "../rows/ZoomStatus";
import { useDataZoom } from "../rows/useDataZoom";
import { useExport } from "../rows/useExport";
import { useTarget } from "../rows/useTarget";
import { activity } from "../run/runState";
import { useQueryRun } from "../run/useQueryRun";
import { shownZone } from "../settings/shownZone";
import type { Settings } from "../settings/useSettings";
import { awayText } from "../source/away";
import type { Source } from "../source/useSource";
import type { PaletteChoice } from "./CommandPalette";
import { Dialogs, type OpenDialog } from "./Dialogs";
import { firstQuery, useLastAnswer, useRememberedForm } from "./lastForm";
import { MainPane } from "./MainPane";
import { focusRegion, stepRegion } from "./regions";
import { Side } from "./Side";
import { SidePanel } from "./SidePanel";
import { TopBar } from "./TopBar";
import { useFetching } from "./useFetching";
import { useLibrary, useOpenCached } from "./useLibrary";
import { arrivedAnswer, useFold } from "./useFold";
import { usePanel } from "./usePanel";
import { useRowSeekers } from "./useRowSeekers";
import { useReturnFocus } from "./useReturnFocus";
import { type Shortcuts, useShortcuts } from "./useShortcuts";
import { useOpenRequest } from "./useOpenRequest";
import { WindowContexts } from "./WindowContexts";
import { WindowNotes } from "./WindowNotes";

interface Props {
  source: Source;
  view: SourceView;
  settings: Settings;
  theme: Theme;
  nextTheme: () => void;
}

/** The whole window, once the source is known. */
export function Workspace({ source, view, settings, theme, nextTheme }: Props) {
  const say = useToast();
  const copy = useCopy();
  const { connection } = source;
  const [form, dispatch] = useForm(firstQuery(view), view.in_use ?? "", view.fields);
  const query = useMemo(() => toQuery(form), [form]);
  const used = view.sources.find(({ id }) => id === view.in_use);
  const queryRun = useQueryRun(connection, view.source?.key ?? "", used?.name ?? "");
  const exporter = useExport();
  const library = useLibrary(queryRun.close);
  const { cached, removals, forgetting, names, pin, setBudget } = library;
  // The whole profile: how long an open day stays fresh is part of the plan, but not of the source.
  const profile = JSON.stringify(view.profile);
  const stamp = [connection.state, view.today, queryRun.state.version, removals, profile].join();
  const planned = usePlan(query, view.in_use ?? "", stamp, queryRun.state.run !== null);
  const target = useTarget(queryRun.state);
  const [tab, setTab] = useState<"query" | "cached">("query");
  const panel = usePanel();
  const { open: panelOpen, show: showPanel, toggle: togglePanel, host: panelHost } = panel;
  const side = usePanelSize("tidemark.side.width", { usual: 292, least: 220, most: 640 });
  const [detailsOpen, setDetailsOpen] = useState(false);
  const toggleDetails = () => setDetailsOpen(!detailsOpen);
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const data = useDataZoom();
  useReturnFocus(dialog !== null);
  const exportRef = useRef<(() => void) | null>(null);
  const rowsRef = useRef<RowsCommands | null>(null);

  const setRange = useCallback(
    (from: string, to: string) => dispatch({ type: "range", from, to }),
    [dispatch],
  );
  useEffect(
    () => dispatch({ type: "source", source: view.in_use ?? "", fields: view.fields }),
    [dispatch, view.in_use, view.fields],
  );
  useRememberedForm(query);

  const doing = activity(queryRun.state, connection);
  const failure = planned.failure;
  const failureTarget = failure === null ? null : failureTargetOf(failure);
  const stops = failure !== null && blocksFetch(failure) && !planned.stale ? failure.message : null;
  const [formFolds, setFormFolds] = useStored("tidemark.formFolds", true);
  const invalid = failureTarget !== null && isOfForm(failureTarget);
  const shown = queryRun.state.view;
  const otherSource = shown === null ? null : otherSourceText(shown.answer.source, view.source);
  const cellFilters = useQueryFilters(form, view.fields, dispatch, otherSource);
  const answer = arrivedAnswer(queryRun.state);
  useFold({ panel, isForm: tab === "query", answer, invalid, auto: formFolds });
  const blocked = view.profile === null ? "Set up a source first." : stops;

  const away = awayText(connection, view.source);
  const { fetch, refetch } = useFetching({
    ...{ form, dispatch, planned, queryRun, blocked, away },
    dismiss: exporter.dismiss,
    flush: forgetting.flush,
  });
  const showPipeline = () => {
    if (planned.plan !== null) {
      setDialog({ kind: "pipeline", of: { query: toQuery(commitDrafts(form)) } });
    }
  };
  useLastAnswer(view.form, planned, queryRun.restore);
  const openCached = useOpenCached(queryRun.open, exporter.dismiss, dispatch, view);
  const request = useOpenRequest(openCached);
  const rowSeeker = useRowSeekers(target?.key ?? null, openCached);

  /** Shows a tab of the side panel and, after it has been drawn, focuses an element there. */
  const inPanel = (wanted: "query" | "cached", selector: string) => {
    showPanel();
    setTab(wanted);
    setTimeout(() => {
      const found = document.querySelector<HTMLElement>(selector);
      if (found === null) focusRegion("side");
      else found.focus();
    }, 0);
  };
  const commands: Shortcuts = {
    fetch: () => fetch("normal"),
    cancel: () => {
      if (doing !== "fetching") return false;
      queryRun.cancel();
      return true;
    },
    selectRows: () => rowsRef.current?.("select_all"),
    filter_row: () => rowsRef.current?.("filter_row"),
    find: () => rowsRef.current?.("find"),
    go_to_row: () => rowsRef.current?.("go_to_row"),
    summary: () => rowsRef.current?.("summary"),
    sql: () => rowsRef.current?.("sql"),
    find_trade: () => setDialog({ kind: "find_trade" }),
    export: () => exportRef.current?.(),
    go_to_query: () => inPanel("query", ".query-form .segment[tabindex='0']"),
    go_to_cached: () => inPanel("cached", ".cached-open"),
    go_to_plan: () => focusRegion("plan"),
    go_to_rows: () => focusRegion("rows"),
    go_to_filters: () => inPanel("query", ".query-form .filter-row input"),
    next_region: () => stepRegion(1),
    previous_region: () => stepRegion(-1),
    toggle_panel: togglePanel,
    details: toggleDetails,
    larger: () => data.change("larger"),
    smaller: () => data.change("smaller"),
    usual: () => data.change("usual"),
    settings: () => setDialog({ kind: "settings" }),
    help: () => setDialog({ kind: "help" }),
    palette: () => setDialog({ kind: "palette" }),
    refresh: () => refetch("refresh"),
    verify: () => refetch("verify"),
    pipeline: showPipeline,
    compact: () => data.change("compact"),
    large: () => data.change("large"),
    sources: () => setDialog({ kind: "sources" }),
    next_theme: nextTheme,
  };
  useShortcuts(commands);
  const choose = (choice: PaletteChoice) => {
    if (choice.of === "window") commands[choice.command]();
    else if (choice.of === "rows") rowsRef.current?.(choice.command);
    else openCached(choice.query).catch((error: unknown) => say(toFailure(error)));
  };

  const editSource = useCallback((section: SourceSection) => setDialog({ kind: "edit", section }), []);
  const zone = shownZone(settings.view?.zone ?? "days", view.day_zone);
  return (
    <WindowContexts repair={editSource} cellFilters={cellFilters} rowSeeker={rowSeeker}>
      <div
        className="window"
        data-panel={panelOpen || undefined}
        style={side.isSet ? ({ "--side": `${side.pixels}px` } as CSSProperties) : undefined}
      >
        <Button className="skip" onPress={() => focusRegion("rows") || focusRegion("plan")}>
          Go to the rows
        </Button>
        <TopBar
          view={view}
          connection={connection}
          actions={source}
          theme={theme}
          nextTheme={nextTheme}
          openSource={() => setDialog({ kind: "sources" })}
          openHelp={() => setDialog({ kind: "help" })}
          openSettings={() => setDialog({ kind: "settings" })}
          panelOpen={panelOpen}
          togglePanel={togglePanel}
        />
        <Side host={panelHost} size={side} isOpen={panelOpen}>
          <SidePanel
            tab={tab}
            setTab={setTab}
            cachedCount={cached.queries?.length ?? null}
            query={
              <QueryForm
                form={form}
                fields={view.fields}
                configured={view.profile !== null}
                today={view.today}
                zone={view.day_zone}
                failure={failure}
                failureTarget={failureTarget}
                dispatch={dispatch}
              />
            }
            cached={
              <CachedPanel
                cached={cached}
                folder={settings.view?.cache_folder ?? view.cache_folder}
                zone={zone}
                current={shown?.key.signature ?? null}
                open={openCached}
                forgetting={forgetting}
                names={names}
                rename={library.rename}
                pin={pin}
                showPipeline={(key) => setDialog({ kind: "pipeline", of: { key } })}
                setBudget={setBudget}
              />
            }
          />
        </Side>
        <MainPane
          source={view}
          zone={zone}
          away={away}
          planned={planned}
          failureTarget={failureTarget}
          runState={queryRun.state}
          activity={doing}
          blocked={blocked}
          target={target}
          otherSource={otherSource}
          differs={shown?.query != null && !sameQuery(shown.query, query)}
          exporter={exporter}
          exportRef={exportRef}
          rowsRef={rowsRef}
          fetch={fetch}
          cancel={queryRun.cancel}
          dismissLeft={queryRun.dismissLeft}
          showPipeline={showPipeline}
          openSource={() => editSource(null)}
          openCached={() => inPanel("cached", ".cached-open")}
          trySample={source.trySample}
          openGuide={() => setDialog({ kind: "guide" })}
          setRange={setRange}
          copy={copy}
          chips={
            panelOpen && tab === "query" ? null : (
              <QueryChips
                form={form}
                fields={view.fields}
                edit={(selector) => inPanel("query", `.query-form ${selector}`)}
                dispatch={dispatch}
                copy={copy}
              />
            )
          }
          detailsOpen={detailsOpen}
          toggleDetails={toggleDetails}
          notes={<WindowNotes settings={settings} request={request} />}
        />
        {dialog && (
          <Dialogs
            dialog={dialog}
            source={source}
            view={view}
            settings={settings}
            running={queryRun.state.run !== null}
            exporting={exporter.state.status === "writing"}
            budget={
              cached.usage && (
                <CacheBudget usage={cached.usage} queries={cached.queries ?? []} setBudget={setBudget} />
              )
            }
            text={data}
            formFolds={formFolds}
            setFormFolds={setFormFolds}
            findIn={{ open: target?.key ?? null, away, zone }}
            hasRows={target !== null}
            cached={(cached.queries ?? []).filter(({ signature }) => !forgetting.forgotten.has(signature))}
            names={names}
            choose={choose}
            close={() => setDialog(null)}
          />
        )}
        <ZoomStatus zoom={data.zoom} />
      </div>
    </WindowContexts>
  );
}
