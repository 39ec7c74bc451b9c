import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { useRef, useState } from "react";
import { beforeEach, expect, it, vi } from "vitest";

import type { Failure, MappingPart, MappingView, Proposal } from "../backend";
import { BackendContext } from "../backend/context";
import { makeFake } from "../test/fakeBackend";
import { later } from "../test/later";
import { makeFailure, makePart, makeProposal } from "../test/made";
import { MappingEditor } from "./MappingEditor";

const TIME = makePart({ key: "timestamp", title: "Time of the trade", value: "at", form: "date" });
const PRODUCT = makePart({
  key: "filters.product",
  title: "Filter: product",
  value: "instrument",
  value_type: "text",
});
const UNUSED = makePart({ key: "year", title: "Year", value: null, is_given: false });

let fake = makeFake();
const changeMapping = () => vi.mocked(fake.backend.changeMapping);

/** The backend reads every text as these parts. */
function reads(parts: MappingPart[], problem: Failure | null = null): void {
  changeMapping().mockImplementation((text, change) =>
    Promise.resolve({ text: change.change === "none" ? text : `${text}*`, parts, problem }),
  );
}

function Held({ proposal, failure }: { proposal?: Proposal; failure?: Failure }) {
  const [text, setText] = useState("{}");
  const changes = useRef(Promise.resolve());
  return (
    <BackendContext value={fake.backend}>
      <MappingEditor
        text={text}
        onChange={setText}
        proposal={proposal ?? null}
        failure={failure ?? null}
        changes={changes}
      />
    </BackendContext>
  );
}

const text = () => screen.getByTestId<HTMLTextAreaElement>("source-mapping").value;

beforeEach(() => {
  fake = makeFake();
  reads([makePart(), TIME, PRODUCT, UNUSED]);
});

it("shows the parts that are used, and folds the others", async () => {
  const user = userEvent.setup();
  render(<Held />);
  expect(await screen.findByTestId("mapping-trade_id")).toHaveValue("dealNo");
  expect(screen.queryByTestId("mapping-year")).not.toBeInTheDocument();
  await user.click(screen.getByTestId("mapping-unused"));
  expect(screen.getByTestId("mapping-year")).toHaveAttribute("placeholder", "Not used");
});

it("changes a path by picking, by typing, and by clearing it", async () => {
  const user = userEvent.setup();
  const [field] = makeProposal().fields;
  if (field === undefined) throw new Error("the fixture proposes a field");
  const proposal = makeProposal({ fields: [{ ...field, others: ["ref.id"] }] });
  render(<Held proposal={proposal} />);
  const input = await screen.findByTestId("mapping-trade_id");
  await user.click(
    within(screen.getByTestId("proposed-trade_id")).getByRole("button", { name: /^Show choices/ }),
  );
  await user.click(await screen.findByRole("option", { name: /^ref\.id/ }));
  const last = () => changeMapping().mock.lastCall?.[1];
  await waitFor(() => expect(last()).toEqual({ change: "value", key: "trade_id", value: "ref.id" }));
  await user.clear(input);
  await user.type(input, "my.own{Enter}");
  await waitFor(() => expect(last()).toEqual({ change: "value", key: "trade_id", value: "my.own" }));
  await user.click(screen.getByTestId("mapping-trade_id-clear"));
  await waitFor(() => expect(last()).toEqual({ change: "value", key: "trade_id", value: null }));
  expect(text()).toBe("{}***");
});

it("opens the list of a field that is clicked, but not of one that is reached with Tab", async () => {
  const user = userEvent.setup();
  render(<Held proposal={makeProposal()} />);
  const input = await screen.findByTestId("mapping-trade_id");
  await user.tab();
  expect(input).toHaveFocus();
  expect(screen.queryByRole("listbox")).not.toBeInTheDocument();
  await user.click(input);
  expect(await screen.findByRole("option", { name: /^dealNo/ })).toBeVisible();
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("listbox")).not.toBeInTheDocument());
});

it("undoes what is being typed with Escape", async () => {
  const user = userEvent.setup();
  render(<Held />);
  const input = await screen.findByTestId("mapping-trade_id");
  await user.type(input, "x{Escape}");
  expect(input).toHaveValue("dealNo");
  await user.tab();
  expect(changeMapping().mock.calls.every(([, change]) => change.change === "none")).toBe(true);
});

it("changes how a time is stored, and what a filter is called", async () => {
  const user = userEvent.setup();
  render(<Held />);
  await user.click(await screen.findByTestId("mapping-timestamp-form"));
  await user.click(await screen.findByRole("option", { name: /^Seconds/ }));
  const last = () => changeMapping().mock.lastCall?.[1];
  await waitFor(() => expect(last()).toEqual({ change: "form", key: "timestamp", form: "epoch_s" }));
  await user.type(screen.getByTestId("mapping-filters.product-label"), "Contract");
  await user.tab();
  await waitFor(() => expect(last()).toEqual({ change: "label", key: "filters.product", label: "Contract" }));
});

it("adds a filter with the type of its values, those that suit best first", async () => {
  const user = userEvent.setup();
  const seen = (path: string) => ({
    path,
    share: 0.5,
    value_type: "integer" as const,
    types: [],
    examples: [],
  });
  const proposal = makeProposal({ paths: [seen("a"), seen("lots")], further_filters: ["lots"] });
  render(<Held proposal={proposal} />);
  await user.click(await screen.findByRole("button", { name: "Show choices for Add a filter" }));
  const [first] = await screen.findAllByRole("option");
  expect(first).toHaveTextContent("lots");
  await user.click(first ?? document.body);
  await waitFor(() =>
    expect(changeMapping().mock.lastCall?.[1]).toEqual({
      change: "add_filter",
      path: "lots",
      value_type: "integer",
      label: "",
    }),
  );
});

it("says what the documents say, and what would help", async () => {
  const user = userEvent.setup();
  const warning = {
    code: "no_day_index" as const,
    message: "No index.",
    fix: "db.createIndex()",
    choices: [],
  };
  render(<Held proposal={makeProposal({ warnings: [warning] })} />);
  expect(screen.getByTestId("proposal")).toHaveTextContent("Proposed from 300 documents");
  const row = within(await screen.findByTestId("proposed-trade_id"));
  expect(row.getByText("Sure")).toBeInTheDocument();
  expect(row.getByText("in 100% · string · D1 | D2")).toBeInTheDocument();
  expect(row.getByText("its name says so")).toBeInTheDocument();
  await user.click(within(screen.getByTestId("proposal-warning")).getByRole("button", { name: "Copy" }));
  expect(fake.backend.copyText).toHaveBeenCalledWith("db.createIndex()");
});

it("takes over what a warning suggests, until it is chosen", async () => {
  const user = userEvent.setup();
  const choices = [
    { key: "downstream_collection", value: "events" },
    { key: "downstream_trade_id", value: "parent.dealRef" },
  ];
  const warning = {
    code: "doubtful_messages" as const,
    message: "They are also in events.",
    fix: null,
    choices,
  };
  render(<Held proposal={makeProposal({ warnings: [warning] })} />);
  await screen.findByTestId("mapping-trade_id");
  reads(choices.map(({ key, value }) => makePart({ key, value })));
  const button = screen.getByTestId("proposal-warning-choose");
  expect(button).toHaveTextContent("Use events, parent.dealRef");
  await user.click(button);
  for (const { key, value } of choices) {
    await waitFor(() =>
      expect(changeMapping().mock.calls.map(([, change]) => change)).toContainEqual({
        change: "value",
        key,
        value,
      }),
    );
  }
  await waitFor(() => expect(screen.queryByTestId("proposal-warning-choose")).not.toBeInTheDocument());
});

it("says nothing of the proposed path about a different one", async () => {
  reads([makePart({ value: "ref.id" })]);
  const seen = { path: "ref.id", share: 0.005, value_type: "text" as const, types: [], examples: ["R1"] };
  render(<Held proposal={makeProposal({ paths: [seen] })} />);
  const row = within(await screen.findByTestId("proposed-trade_id"));
  expect(row.getByText("in under 1% · R1")).toBeInTheDocument();
  expect(row.getByText("Proposed was dealNo")).toBeInTheDocument();
  expect(row.queryByText("Sure")).not.toBeInTheDocument();
});

it("marks a path that no document has", async () => {
  reads([
    makePart({ value: "tradeRef" }),
    makePart({ key: "downstream_trade_id", title: "Messages", value: "of" }),
  ]);
  render(<Held proposal={makeProposal()} />);
  const row = within(await screen.findByTestId("proposed-trade_id"));
  expect(row.getByTestId("evidence-absent")).toHaveTextContent("In none of the documents");
  expect(screen.getAllByTestId("evidence-absent")).toHaveLength(1);
});

it("says which time a number means, unless it is a text", async () => {
  const part = (key: string) => makePart({ key, title: key, value: key, form: "epoch_s" });
  reads([part("timestamp"), part("business_date")]);
  const seen = (path: string, type: string) => ({
    path,
    share: 1,
    value_type: "integer" as const,
    types: [{ name: type, share: 1 }],
    examples: ["1738315800"],
  });
  render(
    <Held proposal={makeProposal({ paths: [seen("timestamp", "long"), seen("business_date", "string")] })} />,
  );
  const row = within(await screen.findByTestId("proposed-timestamp"));
  expect(row.getByText("in 100% · long · 1738315800 (2025-01-31 09:30:00 UTC)")).toBeInTheDocument();
  expect(screen.getByText("in 100% · string · 1738315800")).toBeInTheDocument();
});

it("shows text that cannot be read, and why", async () => {
  reads([], makeFailure("bad_mapping", "It does not parse.", { field: "mapping" }));
  render(<Held />);
  expect(await screen.findByTestId("mapping-problem")).toHaveTextContent("It does not parse.");
  expect(screen.getByTestId("source-mapping")).toBeVisible();
  expect(screen.getByTestId("source-mapping")).toBeInvalid();
});

it("has nothing that axe finds", async () => {
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
  const user = userEvent.setup();
  render(<Held proposal={makeProposal()} />);
  await user.click(await screen.findByTestId("mapping-unused"));
  const rules = { "color-contrast": { enabled: false }, region: { enabled: false } };
  const { violations } = await axe.run(document.body, { rules });
  expect(violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))).toEqual([]);
});

it("marks a mapping that the engine refused", async () => {
  render(<Held failure={makeFailure("bad_mapping", "No such zone.", { field: "mapping" })} />);
  await screen.findByTestId("mapping-trade_id");
  expect(screen.getByTestId("mapping")).toHaveAttribute("data-invalid");
});

it("does not overwrite newer text with a late answer", async () => {
  const user = userEvent.setup();
  render(<Held />);
  await screen.findByTestId("mapping-trade_id");
  const slow = later<MappingView>();
  changeMapping().mockReturnValueOnce(slow.promise);
  await user.click(screen.getByTestId("mapping-trade_id-clear"));
  await user.click(screen.getByTestId("mapping-as-text"));
  await user.type(screen.getByTestId("source-mapping"), " newer");
  slow.resolve({ text: "old", parts: [], problem: null });
  await waitFor(() => expect(changeMapping().mock.lastCall).toEqual(["{} newer", { change: "none" }]));
  expect(text()).toBe("{} newer");
  expect(screen.getByTestId("mapping-trade_id")).toBeInTheDocument();
});
