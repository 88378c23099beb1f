// A process that analyses one planted system and says what it took: `analyse.ts <size> <groups> <dependencies>`.
import { analyse } from '@heddle/boundaries';
import { plant } from '../planted.ts';

const [size = 0, groups = 0, dependencies = 0] = process.argv.slice(2).map(Number);
const { system } = plant({ size, groups, dependencies, noise: 0.3, seed: 1 });
const startCpu = process.cpuUsage();
const start = performance.now();
const report = analyse(system);
const seconds = (performance.now() - start) / 1000;
const { user, system: kernel } = process.cpuUsage(startCpu);
const taken = {
  seconds,
  cpuSeconds: (user + kernel) / 1e6,
  memoryMiB: process.resourceUsage().maxRSS / 1024,
  services: report.summary.services,
};
process.stdout.write(`${JSON.stringify(taken)}\n`);
