// The same system grouped once by a library: `louvain.ts <size> <groups> <dependencies>`. It measures no coupling, offers
// no choice and writes no report.
import { libraries } from '../peers.ts';
import { plant } from '../planted.ts';

const [size = 0, groups = 0, dependencies = 0] = process.argv.slice(2).map(Number);
const planted = plant({ size, groups, dependencies, noise: 0.3, seed: 1 });
const startCpu = process.cpuUsage();
const start = performance.now();
const found = libraries[0]?.group(planted, 1) ?? [];
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(startCpu);
const taken = {
  seconds,
  cpuSeconds: (user + system) / 1e6,
  memoryMiB: process.resourceUsage().maxRSS / 1024,
  services: new Set(found).size,
};
process.stdout.write(`${JSON.stringify(taken)}\n`);
