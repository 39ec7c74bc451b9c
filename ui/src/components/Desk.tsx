import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "react";

import { Button } from "react-aria-components";

import type { CachedQuery, FetchMode, QueryInput, SourceView } from "../backend";
import { blocksFetch, needsPassword, placeOf } from "../logic/failures";
import { commitDrafts, sameQuery, toQuery } from "../logic/filters";
import { foreignText } from "../logic/foreign";
import { PRESETS } from "../logic/presets";
import { activity } from "../logic/runState";
import { sourceKey, sourceText } from "../logic/sourceText";
import { useBackend } from "../state/backendContext";
import { focusRegion } from "../state/regions";
import { useCached } from "../state/useCached";
import { useDataZoom } from "../state/useDataZoom";
import { useDesk } from "../state/useDesk";
import { useExport } from "../state/useExport";
import { useForm } from "../state/useForm";
import { usePanel } from "../state/usePanel";
import { usePlan } from "../state/usePlan";
import { useReturnFocus } from "../state/useReturnFocus";
import { useShortcuts } from "../state/useShortcuts";
import type { Source } from "../state/useSource";
import { useTarget } from "../state/useTarget";
import type { ThemeChoice } from "../state/useTheme";
import { CachedPanel } from "./CachedPanel";
import { MainPane } from "./MainPane";
import { PipelineDialog, type PipelineOf } from "./PipelineDialog";
import { QueryForm } from "./QueryForm";
import { ShortcutsDialog } from "./ShortcutsDialog";
import { SidePanel } from "./SidePanel";
import { SourceDialog } from "./SourceDialog";
import { TopBar } from "./TopBar";

interface Props {
  source: Source;
  view: SourceView;
  theme: ThemeChoice;
  nextTheme: () => void;
}

/** The form as it was left, or the last five business days. */
function firstQuery(view: SourceView): QueryInput {
  if (view.form) return view.form;
  const range = PRESETS.find((preset) => preset.id === "business-5")?.range(view.today);
  return { from: range?.from ?? view.today, to: range?.to ?? view.today, filters: [], advanced: "" };
}

/** The whole window, once the source is known. */
export function Desk({ source, view, theme, nextTheme }: Props) {
  const backend = useBackend();
  const { connection } = source;
  const [form, dispatch] = useForm(firstQuery(view), view.fields);
  const query = useMemo(() => toQuery(form), [form]);
  const used = { key: sourceKey(view.profile), text: view.profile === null ? "" : sourceText(view.profile) };
  const desk = useDesk(connection, used);
  const exporter = useExport();
  // Grows when something has gone from the cache that a plan may have counted on.
  const [removals, removed] = useReducer((count: number) => count + 1, 0);
  const cached = useCached(desk.state.version + removals);
  const stamp = [connection.state, view.today, desk.state.version, removals, used.key].join();
  const planned = usePlan(query, stamp, desk.state.run !== null);
  const target = useTarget(desk.state);
  const [tab, setTab] = useState<"query" | "cached">("query");
  const { open: panelOpen, show: showPanel, toggle: togglePanel, host: panelHost } = usePanel();
  const [editingSource, setEditingSource] = useState(false);
  const [helping, setHelping] = useState(false);
  const data = useDataZoom();
  const [pipelineOf, setPipelineOf] = useState<PipelineOf | null>(null);
  useReturnFocus(helping || editingSource || pipelineOf !== null);
  const exportRef = useRef<(() => void) | null>(null);
  const selectRef = useRef<(() => void) | null>(null);

  useEffect(() => dispatch({ type: "fields", fields: view.fields }), [dispatch, view.fields]);
  useEffect(() => {
    // A form that could not be remembered is only a form to type again.
    const timer = setTimeout(() => void backend.rememberForm(query).catch(() => undefined), 800);
    return () => clearTimeout(timer);
  }, [backend, query]);

  const doing = activity(desk.state, connection);
  const failure = planned.failure;
  const place = failure === null ? null : placeOf(failure, planned.query ?? query);
  const stops = failure !== null && blocksFetch(failure) && !planned.stale ? failure.message : null;
  const blocked = view.profile === null ? "Set up a source first." : stops;

  const fetch = (mode: FetchMode) => {
    if (blocked !== null) return;
    // What is still being typed counts: leaving it out would fetch more than the form says.
    const full = toQuery(commitDrafts(form));
    dispatch({ type: "commit_all" });
    const known = !planned.stale && planned.query !== null && sameQuery(planned.query, full);
    exporter.dismiss();
    // Where there is no plan yet, the run tells the signature with its own.
    desk.start(full, mode, known ? (planned.plan?.signature ?? null) : null);
  };
  const { open, restore, close } = desk;
  // The answer that the last session ended with, as soon as the first plan says that it is cached.
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
      if ((await open(item)) && item.form) {
        dispatch({ type: "load", query: item.form, fields: view.fields });
      }
    },
    [open, dismiss, dispatch, view.fields],
  );
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
      // Part of the room may have been made before it failed.
      removed();
    }
  };

  /** After the panel has been drawn. */
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
      desk.cancel();
      return true;
    },
    exportRows: () => exportRef.current?.(),
    selectRows: () => selectRef.current?.(),
    focusFilter: () => inPanel("query", ".query-form .filter-row input"),
    goTo: (place) => {
      if (place === "query") inPanel("query", ".query-form .segment[tabindex='0']");
      else if (place === "cached") inPanel("cached", ".cached-open");
      else focusRegion(place);
    },
    togglePanel,
    help: () => setHelping(true),
    zoom: data.change,
  });

  const shown = desk.state.view;
  return (
    <div className="window" data-panel={panelOpen || undefined}>
      <Button className="skip" onPress={() => focusRegion("rows") || focusRegion("plan")}>
        Go to the rows
      </Button>
      <TopBar
        profile={view.profile}
        connection={connection}
        connect={source.connect}
        theme={theme}
        nextTheme={nextTheme}
        openSource={() => setEditingSource(true)}
        openHelp={() => setHelping(true)}
        panelOpen={panelOpen}
        togglePanel={togglePanel}
      />
      {/* Hidden rather than taken away, so that nothing typed is lost. */}
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
              today={view.today}
              zone={view.day_zone}
              failure={failure}
              place={place}
              dispatch={dispatch}
            />
          }
          cached={
            <CachedPanel
              cached={cached}
              folder={view.cache_folder}
              zone={view.day_zone}
              current={shown?.key.signature ?? null}
              open={openCached}
              forget={forget}
              pin={pin}
              showPipeline={(key) => setPipelineOf({ key })}
              setBudget={setBudget}
            />
          }
        />
      </aside>
      <MainPane
        source={view}
        online={connection.state === "online"}
        planned={planned}
        place={place}
        desk={desk.state}
        activity={doing}
        blocked={blocked}
        target={target}
        locked={needsPassword(connection, view.profile)}
        foreign={shown === null ? null : foreignText(shown, used.text, planned)}
        differs={shown?.query != null && !sameQuery(shown.query, query)}
        exporter={exporter}
        exportRef={exportRef}
        selectRef={selectRef}
        fetch={fetch}
        cancel={desk.cancel}
        showPipeline={() => setPipelineOf({ query: toQuery(commitDrafts(form)) })}
        openSource={() => setEditingSource(true)}
      />
      {editingSource && (
        <SourceDialog
          profile={view.profile}
          connect={source.connect}
          running={desk.state.run !== null}
          zoneRules={view.zone_rules}
          close={() => setEditingSource(false)}
        />
      )}
      <span className="visually-hidden" role="status" data-testid="data-zoom">
        Text size {Math.round(data.zoom * 100)}%
      </span>
      {helping && <ShortcutsDialog close={() => setHelping(false)} />}
      {pipelineOf && <PipelineDialog of={pipelineOf} close={() => setPipelineOf(null)} />}
    </div>
  );
}
