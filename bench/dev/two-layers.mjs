// `npm run bench -- two-layers`: full-size with two layers, a quick check (1.4 GB of temporary files).
process.argv.push("--layers", "2");
await import("./full-size.mjs");
