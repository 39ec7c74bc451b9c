import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  // Relative, so that the files load under whatever scheme the desktop shell serves them with.
  base: "./",
  // WebKitGTK of the oldest system that Tauri 2 supports.
  build: { target: "safari15", chunkSizeWarningLimit: 1200 },
  // The documents that the window shows are beside its folder.
  server: { port: 5173, strictPort: true, fs: { allow: [".", "../docs"] } },
  test: {
    environment: "jsdom",
    setupFiles: ["src/test/setup.ts"],
    restoreMocks: true,
    // Typing into the whole window takes seconds on a busy machine.
    testTimeout: 30_000,
  },
});
