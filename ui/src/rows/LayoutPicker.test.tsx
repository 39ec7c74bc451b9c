import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { NO_PREFS } from "./grid/columns";
import { LayoutPicker } from "./LayoutPicker";

it("keeps the focus after a layout was saved, so that Escape still closes what is around it", async () => {
  const user = userEvent.setup();
  const change = vi.fn();
  render(<LayoutPicker layouts={{ now: NO_PREFS, name: "", named: {} }} change={change} />);
  await user.type(screen.getByTestId("layout-name"), "Morning");
  await user.click(screen.getByTestId("layout-save"));
  expect(change).toHaveBeenCalledOnce();
  expect(screen.getByTestId("layout-name")).toHaveFocus();
});
