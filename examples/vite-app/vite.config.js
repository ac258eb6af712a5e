export default {
  // Bundled ahead for `vite dev`, a module no longer lies beside the embedded model.
  optimizeDeps: { exclude: ["sirocco"] },
};
