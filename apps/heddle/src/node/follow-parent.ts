// Preloaded into every program that `up` starts. The channel to the parent closes with the parent, however that died:
// the program then drains as if it had been asked to, and is gone within the limit even if its draining hangs.
const drainMs = 15_000;

process.on('disconnect', () => {
  setTimeout(() => process.exit(1), drainMs).unref();
  process.kill(process.pid, 'SIGTERM');
});
// The listener alone must not keep a program alive that has finished.
process.channel?.unref();

// Whoever reads what we write dies with the parent too. That nobody listens is no reason to fail.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
