// The house rules of the repository: `node scripts/house-rules.ts`; with --table, their table for CONTRIBUTING.md.
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { repositoryFiles, root } from './files.ts';
import { look, rules } from './house-rules/look.ts';
import type { Finding } from './house-rules/rule.ts';

const textFile =
  /\.(ts|tsx|mjs|cjs|js|json|md|ya?ml|sql|sh|html|css|proto|toml)$|^\.ci\/|(^|\/)(Dockerfile|\.[a-z]+rc|\.[a-z]+ignore)$/;
// Data for tests and third-party files may hold any word.
const data = /\/(testdata|fixtures|vectors)\//;
const largestBytes = 2_000_000;

function lookAtAll(): Finding[] {
  const files = repositoryFiles().filter((file) => textFile.test(file) && !data.test(file));
  return files.flatMap((file) => {
    const full = path.join(root, file);
    return statSync(full).size > largestBytes ? [] : look(file, readFileSync(full, 'utf8'));
  });
}

if (process.argv.includes('--table')) {
  for (const rule of rules) console.log(`| ${rule.name} | ${rule.why} |`);
} else {
  const findings = lookAtAll();
  for (const { path: file, line, rule, what } of findings) console.log(`${file}:${line}: ${what} [${rule}]`);
  const broken = rules.filter((rule) => findings.some((finding) => finding.rule === rule.name));
  for (const rule of broken) console.log(`\n${rule.name}: ${rule.why}`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
