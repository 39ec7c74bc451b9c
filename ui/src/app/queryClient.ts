import { focusManager, QueryClient } from "@tanstack/react-query";

/** Holds what has been read from the backend. */
export function makeQueryClient(): QueryClient {
  // Whoever comes back from a different window gets the focus; this window was visible all the while, and the event
  // that react-query waits for does not come.
  focusManager.setEventListener((returned) => {
    const focused = () => returned();
    window.addEventListener("focus", focused);
    return () => window.removeEventListener("focus", focused);
  });
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The backend is on this computer: it answers without a network, and what it refuses it refuses again.
        networkMode: "always",
        retry: false,
        refetchOnWindowFocus: false,
      },
    },
  });
}
