// A few line icons, drawn on a 16 by 16 grid. They are decoration: the words beside them carry the meaning.

const PATHS = {
  close: "M4 4l8 8M12 4l-8 8",
  chevron: "M4 6l4 4 4-4",
  calendar: "M2.5 4h11v9.5h-11zM2.5 7h11M5.5 2v3M10.5 2v3",
  sun: "M8 5a3 3 0 100 6 3 3 0 000-6zM8 1v1.8M8 13.2V15M1 8h1.8M13.2 8H15M3 3l1.3 1.3M11.7 11.7L13 13M13 3l-1.3 1.3M4.3 11.7L3 13",
  moon: "M13 9.6A5.6 5.6 0 016.4 3 5.6 5.6 0 1013 9.6z",
  screen: "M2 3h12v8H2zM6 13.5h4",
  cog: "M6.9 1.5h2.2L9.5 3.3 10.9 3.9 12.4 2.8 13.2 3.6 12.1 5.1 12.7 6.5 14.5 6.9V9.1L12.7 9.5 12.1 10.9 13.2 12.4 12.4 13.2 10.9 12.1 9.5 12.7 9.1 14.5H6.9L6.5 12.7 5.1 12.1 3.6 13.2 2.8 12.4 3.9 10.9 3.3 9.5 1.5 9.1V6.9L3.3 6.5 3.9 5.1 2.8 3.6 3.6 2.8 5.1 3.9 6.5 3.3zM8 6a2 2 0 100 4 2 2 0 000-4z",
  gear: "M2.5 4.5h7M12.5 4.5h1M2.5 11.5h1M6.5 11.5h7M11 3v3M5 10v3",
  panel: "M2 3h12v10H2zM6 3v10",
  columns: "M2 3h12v10H2zM6 3v10M10 3v10",
  aside: "M2 3h12v10H2zM9.5 3v10",
  below: "M2 3h12v10H2zM2 9h12",
  filter: "M2 3h12l-4.5 5.5V13l-3-1.5v-3z",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  trash: "M3 4.5h10M6 4.5v-2h4v2M4.5 4.5l.5 9h6l.5-9",
  warn: "M8 2l6.5 11.5h-13zM8 6.5v3.5M8 11.8v.2",
  keys: "M1.5 4h13v8.5h-13zM4 6.7h.2M6.6 6.7h.2M9.2 6.7h.2M11.8 6.7h.2M4.5 10h7",
  up: "M4 10l4-4 4 4",
  differ: "M3 6h10M3 10h10M10.5 3l-5 10",
  pin: "M6 2h4l-.5 5 2.5 2.5H4L6.5 7zM8 9.5V14",
  code: "M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5",
  check: "M3 8.5l3.2 3.2L13 5",
  skip: "M4 8h8",
  prev: "M10 4L6 8l4 4",
  next: "M6 4l4 4-4 4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 14 }: { name: IconName; size?: number }) {
  return (
    <svg
      className="icon"
      // As large as the words beside it.
      width={`${size / 16}rem`}
      height={`${size / 16}rem`}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The product mark: a water line on a staff. */
export function Mark() {
  return (
    <svg className="mark" width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
      <rect width="20" height="20" rx="5" fill="var(--mark-ground)" />
      <path d="M6 3.5v13" stroke="var(--mark-staff)" strokeWidth="1.5" strokeLinecap="round" />
      <path
        d="M6 6h2.4M6 9h1.6M6 14.5h1.6"
        stroke="var(--mark-staff)"
        strokeWidth="1.3"
        strokeLinecap="round"
      />
      <path
        d="M3 12c1.6-1.5 3-1.5 4.6 0s3 1.5 4.6 0 3-1.5 4.8 0"
        stroke="var(--mark-tide)"
        strokeWidth="1.8"
        fill="none"
        strokeLinecap="round"
      />
    </svg>
  );
}
