import type { CatalogueEntry } from '../catalogue/catalogue-entry.ts';
import type { Contract } from '../contract/contract.ts';
import { objectOr, textOr } from '../contract/json.ts';
import { messageExample } from '../example/message-example.ts';
import { exampleIn } from '../example/schema-example.ts';
import { chosenMedia } from '../contract/media.ts';
import type { Operation } from '../operation/operation.ts';
import { operationsOf } from '../operation/operations.ts';
import { payloadExample, snippet, snippetLanguages } from '../snippet/snippet.ts';

/**
 * A page of HTML that documents a service: operations with examples and snippets, versions, what is in quarantine. It
 * has no script and loads nothing. `base`: where the service answers, for the snippets.
 */
export function docsPage({ service, versions, quarantined }: CatalogueEntry, base: string): string {
  const newest = versions.at(-1);
  const contract: Contract = newest?.contract ?? {};
  const title = textOr(objectOr(objectOr(contract.openapi ?? contract.asyncapi)['info'])['title']) || service;
  const operations = operationsOf(contract);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title><style>${style}</style></head><body>
<h1>${escaped(title)}</h1>
<p>${newest === undefined ? 'No contract yet.' : `Version ${newest.number} of the contract, since ${time(newest.sinceMs)}.`}</p>
<nav>${operations.map(({ id }) => `<a href="#${anchor(id)}">${escaped(id)}</a>`).join('')}</nav>
${operations.map((operation) => section(contract, operation, base, service)).join('\n')}
<h2>Versions</h2>
<ol reversed>${versions
    .toReversed()
    .map((version) => {
      const changes = version.changes.map((one) => `<li class="${one.level}">${escaped(sentence(one))}</li>`);
      return `<li value="${version.number}">${time(version.sinceMs)} ${escaped(version.serviceVersion)}<ul>${changes.join('')}</ul></li>`;
    })
    .join('')}</ol>
${quarantined
  .map(
    (record) =>
      `<h2>In quarantine: ${escaped(record.hash)}</h2><ul>${record.changes
        .map((one) => `<li class="breaking">${escaped(sentence(one))}</li>`)
        .join(
          '',
        )}</ul><p>Breaks ${escaped(record.consumers.map((one) => one.service).join(', ') || 'nobody that is known')}.</p>`,
  )
  .join('')}
</body></html>
`;
}

function section(contract: Contract, operation: Operation, base: string, service: string): string {
  const snippets = snippetLanguages(operation)
    .map((language) => [language, snippet(contract, operation, language, base)] as const)
    .filter((one): one is readonly [(typeof one)[0], string] => one[1] !== undefined)
    .map(
      ([language, text]) =>
        `<h4>${language}</h4><pre>${escaped(text.replace('api call SERVICE', `api call ${service}`))}</pre>`,
    );
  return `<section id="${anchor(operation.id)}"><h2>${escaped(operation.id)}</h2><p>${escaped(operation.summary)}</p>
${detail(contract, operation)}${snippets.join('')}</section>`;
}

function detail(contract: Contract, operation: Operation): string {
  if (operation.kind === 'grpc') {
    const { input, output } = operation.method;
    return `${example(input.typeName, messageExample(input))}${example(output.typeName, messageExample(output))}`;
  }
  if (operation.kind === 'message')
    return operation.messages
      .map(([type, message]) => example(type, payloadExample(contract.asyncapi ?? {}, message)))
      .join('');
  const document = contract.openapi ?? {};
  const parameters = operation.parameters.map(
    (one) =>
      `<tr><td>${escaped(textOr(one['name']))}</td><td>${escaped(textOr(one['in']))}</td><td>${one['required'] === true ? 'required' : ''}</td><td>${escaped(textOr(one['description']))}</td></tr>`,
  );
  const answers = operation.answers.map(([status, answer]) => {
    const media = chosenMedia(answer);
    const said = `${status} ${textOr(answer['description'])}`;
    return media === undefined
      ? `<h4>${escaped(said)}</h4>`
      : example(said, exampleIn(document, media[1], 'response'));
  });
  return `${parameters.length > 0 ? `<table>${parameters.join('')}</table>` : ''}${answers.join('')}`;
}

function example(title: string, value: unknown): string {
  return `<h4>${escaped(title)}</h4><pre>${escaped(JSON.stringify(value, undefined, 2))}</pre>`;
}

function sentence({
  operations,
  at,
  message,
}: {
  operations: readonly string[];
  at: string;
  message: string;
}): string {
  return [operations.join(', '), at, message].filter((part) => part !== '').join(': ');
}

function time(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}

function anchor(id: string): string {
  return encodeURIComponent(id.replaceAll(' ', '-'));
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

const style =
  ':root{color-scheme:light dark}body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}' +
  'nav a{display:block}pre{overflow:auto;padding:.75rem;border:1px solid #8884;border-radius:4px}' +
  'td{padding:.1rem .75rem .1rem 0}.breaking{color:#c62828}.warning{color:#b26a00}';
