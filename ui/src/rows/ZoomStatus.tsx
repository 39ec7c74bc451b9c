/** Says the text size of the rows to screen readers. */
export function ZoomStatus({ zoom }: { zoom: number }) {
  return (
    <span className="visually-hidden" role="status" data-testid="data-zoom">
      Text size {Math.round(zoom * 100)}%
    </span>
  );
}
