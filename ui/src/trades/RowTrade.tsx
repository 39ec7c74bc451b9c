import { useQuery } from "@tanstack/react-query";

import { type RowQuery, toFailure, type ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { FailureNote } from "../controls/FailureNote";
import { pause } from "../controls/pause";
import { asked } from "../rows/asked";
import { TradeView } from "./TradeView";

/** Moving through the rows reads a trade only after a pause of this length. */
const PAUSE_MS = 90;

interface Props {
  viewKey: ViewKey;
  rows: RowQuery;
  position: number;
  /** Changes if the rows may have changed; then the trade is read again. */
  stamp: string;
  zone: string;
}

/** The trades of a row: one, unless the row carries several ids. */
export function RowTrade({ viewKey, rows, position, stamp, zone }: Props) {
  const backend = useBackend();
  const { data, error } = useQuery({
    queryKey: ["row_trades", viewKey, rows, position, stamp],
    queryFn: async ({ signal }) => {
      await pause(PAUSE_MS, signal);
      return asked(backend, signal, (id) => backend.rowTrades(viewKey, rows, position, id));
    },
    gcTime: 0,
  });
  if (error) return <FailureNote failure={toFailure(error)} />;
  if (data === undefined) return <p className="faint">Looking for the trade</p>;
  if (data.trades.length === 0) return <p className="faint">This row has no trade id.</p>;
  return (
    <div className="row-trades">
      {data.trades.map((trade) => (
        <TradeView
          key={`${position} ${trade.trade}`}
          trade={trade}
          zone={zone}
          signature={viewKey.signature}
        />
      ))}
    </div>
  );
}
