import "./styles/index.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./App";
import { openBackend } from "./backend";
import { BackendContext } from "./state/backendContext";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

void openBackend().then((backend) => {
  createRoot(root).render(
    <StrictMode>
      <BackendContext value={backend}>
        <App />
      </BackendContext>
    </StrictMode>,
  );
});
