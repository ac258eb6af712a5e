export default {
  optimizeDeps: { exclude: ["sirocco"] },
  worker: { format: "es" },
};
