import { Button, Dialog, DialogTrigger, Meter, Popover } from "react-aria-components";

import type { CachedQuery, CacheUsage } from "../backend";
import { usageText } from "./budget";
import { BudgetEditor } from "./BudgetEditor";

interface Props {
  usage: CacheUsage;
  queries: readonly CachedQuery[];
  setBudget: (bytes: number) => Promise<void>;
}

/** How much of its budget the cache uses, with a button to change the budget. */
export function CacheBudget({ usage, queries, setBudget }: Props) {
  const over = usage.bytes > usage.budget;
  const text = usageText(usage);
  const share = usage.budget > 0 ? Math.min(usage.bytes / usage.budget, 1) : 1;
  return (
    <div className="cache-budget">
      <Meter
        className="cache-meter"
        aria-label="Disk space used by the cache"
        value={usage.bytes}
        maxValue={Math.max(usage.budget, usage.bytes, 1)}
        valueLabel={text}
        data-over={over || undefined}
      >
        <div className="progress-track">
          <div className="progress-fill" style={{ transform: `scaleX(${share})` }} />
        </div>
      </Meter>
      <div className="cached-folder">
        <span className="num" data-testid="cache-usage">
          {text}
          {over && <strong className="over"> over budget</strong>}
        </span>
        <DialogTrigger>
          <Button className="link" aria-label="Change the cache budget" data-testid="budget-button">
            Change
          </Button>
          <Popover className="popover" placement="top start">
            <Dialog className="popover-body budget-dialog" aria-label="Cache budget">
              {({ close }) => (
                <BudgetEditor usage={usage} queries={queries} setBudget={setBudget} close={close} />
              )}
            </Dialog>
          </Popover>
        </DialogTrigger>
      </div>
    </div>
  );
}
