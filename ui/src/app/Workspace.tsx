import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "react";

import { Button } from "react-aria-components";

import { otherSourceText } from "../answer/otherSource";
import type { CachedQuery, FetchMode, QueryInput, SourceView, Theme } from "../backend";
import { useBackend } from "../backend/context";
import { RepairContext, type SourceSection } from "../controls/repair";
import { CacheBudget } from "../library/CacheBudget";
import { CachedPanel } from "../library/CachedPanel";
import { useCached } from "../library/useCached";
import { usePlan } from "../plan/usePlan";
import { blocksFetch, failureTargetOf } from "../query/failureTarget";
import { commitDrafts, sameQuery, toQuery } from "../query/filters";
import { PRESETS } from "../query/presets";
import { QueryForm } from "../query/QueryForm";
import { useForm } from "../query/useForm";
import { useDataZoom } from "../rows/useDataZoom";
import { useExport } from "../rows/useExport";
import { useTarget } from "../rows/useTarget";
import { activity } from "../run/runState";
import { useQueryRun } from "../run/useQueryRun";
import { shownZone } from "../settings/shownZone";
import type { Settings } from "../settings/useSettings";
import { awayText } from "../source/away";
import type { Source } from "../source/useSource";
import { Dialogs, type OpenDialog } from "./Dialogs";
import { MainPane } from "./MainPane";
import { focusRegion, stepRegion } from "./regions";
import { SidePanel } from "./SidePanel";
import { TopBar } from "./TopBar";
import { usePanel } from "./usePanel";
import { useReturnFocus } from "./useReturnFocus";
import { useShortcuts } from "./useShortcuts";
import { useOpenRequest } from "./useOpenRequest";
import { WindowNotes } from "./WindowNotes";

interface Props {
  source: Source;
  view: SourceView;
  settings: Settings;
  theme: Theme;
  nextTheme: () => void;
}

/** The form as it was left, or the last five business days. */
function firstQuery(view: SourceView): QueryInput {
  if (view.form) return view.form;
  const range = PRESETS.find((preset) => preset.id === "business-5")?.range(view.today);
  return { from: range?.from ?? view.today, to: range?.to ?? view.today, filters: [], advanced: "" };
}

/** The whole window, once the source is known. */
export function Workspace({ source, view, settings, theme, nextTheme }: Props) {
  const backend = useBackend();
  const { connection } = source;
  const [form, dispatch] = useForm(firstQuery(view), view.in_use ?? "", view.fields);
  const query = useMemo(() => toQuery(form), [form]);
  const used = view.sources.find(({ id }) => id === view.in_use);
  const queryRun = useQueryRun(connection, view.source?.key ?? "", used?.name ?? "");
  const exporter = useExport();
  // Grows when something has been removed from the cache that a plan may rely on.
  const [removals, countRemoval] = useReducer((count: number) => count + 1, 0);
  const cached = useCached();
  // The whole profile: how long an open day stays fresh is part of the plan, but not of the source.
  const profile = JSON.stringify(view.profile);
  const stamp = [connection.state, view.today, queryRun.state.version, removals, profile].join();
  const planned = usePlan(query, view.in_use ?? "", stamp, queryRun.state.run !== null);
  const target = useTarget(queryRun.state);
  const [tab, setTab] = useState<"query" | "cached">("query");
  const { open: panelOpen, show: showPanel, toggle: togglePanel, host: panelHost } = usePanel();
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const data = useDataZoom();
  useReturnFocus(dialog !== null);
  const exportRef = useRef<(() => void) | null>(null);
  const selectRef = useRef<(() => void) | null>(null);

  useEffect(
    () => dispatch({ type: "source", source: view.in_use ?? "", fields: view.fields }),
    [dispatch, view.in_use, view.fields],
  );
  useEffect(() => {
    // If this fails, the form only has to be typed again.
    const timer = setTimeout(() => void backend.rememberForm(query).catch(() => undefined), 800);
    return () => clearTimeout(timer);
  }, [backend, query]);

  const doing = activity(queryRun.state, connection);
  const failure = planned.failure;
  const failureTarget = failure === null ? null : failureTargetOf(failure);
  const stops = failure !== null && blocksFetch(failure) && !planned.stale ? failure.message : null;
  const blocked = view.profile === null ? "Set up a source first." : stops;

  const fetch = (mode: FetchMode) => {
    if (blocked !== null) return;
    // Includes what is still being typed: leaving it out would fetch more than the form shows.
    const full = toQuery(commitDrafts(form));
    dispatch({ type: "commit_all" });
    const known = !planned.stale && planned.query !== null && sameQuery(planned.query, full);
    exporter.dismiss();
    // If there is no plan yet, the run reports the signature with its own plan.
    queryRun.start(full, mode, known ? (planned.plan?.signature ?? null) : null);
  };
  const { open, restore, close } = queryRun;
  // Restores the last session's answer as soon as the first plan shows that it is cached.
  const last = useRef(view.form);
  useEffect(() => {
    if (last.current === null || planned.stale || planned.plan === null || planned.query === null) return;
    const { signature, counts } = planned.plan;
    if (counts.serve + counts.refresh > 0 && sameQuery(planned.query, last.current)) {
      restore(planned.query, signature);
    }
    last.current = null;
  }, [planned, restore]);
  const { dismiss } = exporter;
  const openCached = useCallback(
    async (item: CachedQuery) => {
      dismiss();
      // The filters of a different source have other meanings here, and what was typed would be lost.
      const isOfSource = view.source === null || view.source.name === item.source;
      if ((await open(item)) && item.form && isOfSource) {
        dispatch({ type: "load", query: item.form, fields: view.fields });
      }
    },
    [open, dismiss, dispatch, view.fields, view.source],
  );
  const request = useOpenRequest(openCached);
  const removed = () => {
    countRemoval();
    cached.reload();
  };
  const forget = async (item: CachedQuery) => {
    await backend.forget(item.signature, null, null);
    close(item.signature);
    removed();
  };
  const pin = async (item: CachedQuery, pinned: boolean) => {
    await backend.pinQuery(item.signature, pinned);
    cached.reload();
  };
  const setBudget = async (bytes: number) => {
    try {
      await backend.setCacheBudget(bytes);
    } finally {
      // Some queries may have been evicted before it failed.
      removed();
    }
  };

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
  useShortcuts({
    fetch: () => fetch("normal"),
    cancel: () => {
      if (doing !== "fetching") return false;
      queryRun.cancel();
      return true;
    },
    selectRows: () => selectRef.current?.(),
    export: () => exportRef.current?.(),
    go_to_query: () => inPanel("query", ".query-form .segment[tabindex='0']"),
    go_to_cached: () => inPanel("cached", ".cached-open"),
    go_to_plan: () => focusRegion("plan"),
    go_to_rows: () => focusRegion("rows"),
    go_to_filters: () => inPanel("query", ".query-form .filter-row input"),
    next_region: () => stepRegion(1),
    previous_region: () => stepRegion(-1),
    toggle_panel: togglePanel,
    larger: () => data.change("larger"),
    smaller: () => data.change("smaller"),
    usual: () => data.change("usual"),
    settings: () => setDialog({ kind: "settings" }),
    help: () => setDialog({ kind: "help" }),
  });

  const editSource = useCallback((section: SourceSection) => setDialog({ kind: "edit", section }), []);
  const zone = shownZone(settings.view?.zone ?? "days", view.day_zone);
  const shown = queryRun.state.view;
  return (
    <RepairContext value={editSource}>
      <div className="window" data-panel={panelOpen || undefined}>
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
        {/* Hidden rather than removed, so that nothing typed is lost. */}
        <aside
          ref={panelHost}
          className="side"
          aria-label="Query and cached queries"
          data-region="side"
          hidden={!panelOpen}
        >
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
                forget={forget}
                pin={pin}
                showPipeline={(key) => setDialog({ kind: "pipeline", of: { key } })}
                setBudget={setBudget}
              />
            }
          />
        </aside>
        <MainPane
          source={view}
          zone={zone}
          away={awayText(connection, view.source)}
          planned={planned}
          failureTarget={failureTarget}
          runState={queryRun.state}
          activity={doing}
          blocked={blocked}
          target={target}
          otherSource={shown === null ? null : otherSourceText(shown.answer.source, view.source)}
          differs={shown?.query != null && !sameQuery(shown.query, query)}
          exporter={exporter}
          exportRef={exportRef}
          selectRef={selectRef}
          fetch={fetch}
          cancel={queryRun.cancel}
          dismissLeft={queryRun.dismissLeft}
          showPipeline={() => setDialog({ kind: "pipeline", of: { query: toQuery(commitDrafts(form)) } })}
          openSource={() => editSource(null)}
          openCached={() => inPanel("cached", ".cached-open")}
          trySample={source.trySample}
          openGuide={() => setDialog({ kind: "guide" })}
          notes={
            <WindowNotes settings={settings} problem={request.problem} dismissProblem={request.dismiss} />
          }
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
            close={() => setDialog(null)}
          />
        )}
        <span className="visually-hidden" role="status" data-testid="data-zoom">
          Text size {Math.round(data.zoom * 100)}%
        </span>
      </div>
    </RepairContext>
  );
}
