import "./language";
import "./index.css";

import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { openBackend } from "../backend";
import { BackendContext } from "../backend/context";
import { App } from "./App";
import { logProblems } from "./problems";
import { makeQueryClient } from "./queryClient";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

void openBackend().then((backend) => {
  logProblems(backend);
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={makeQueryClient()}>
        <BackendContext value={backend}>
          <App />
        </BackendContext>
      </QueryClientProvider>
    </StrictMode>,
  );
});
