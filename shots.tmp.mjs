import { chromium } from 'playwright-core';
const url = process.argv[2]; const prefix = process.argv[3] ?? 'a';
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox','--disable-gpu','--disable-background-networking'] });
for (const [w,h] of [[1280,800],[1920,1080],[390,844]]) for (const colorScheme of ['light','dark']) {
  if (process.argv[4] && !process.argv[4].split(',').includes(`${w}-${colorScheme}`)) continue;
  const p = await b.newPage({ viewport: { width: w, height: h }, colorScheme });
  p.on('console', m => console.log(m.type(), m.text()));
  await p.goto(url); await p.waitForSelector('.service'); await new Promise(r=>setTimeout(r,2500));
  await p.screenshot({ path: `/tmp/shots/${prefix}-${w}-${colorScheme}.png` });
  console.log(w, await p.evaluate('[document.documentElement.scrollWidth, document.documentElement.scrollHeight]'));
  await p.close();
}
await b.close();
