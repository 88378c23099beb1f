import { durationAt } from '../document/duration.ts';
import { type Place, YamlText } from '../document/place.ts';
import { type LabelMatcher, readMatcher } from './matcher.ts';

/** Where alerts go. A route takes what meets its matchers; the first of its routes that does takes it from there. */
export interface Route {
  /** Unique and the same after a restart: groups are kept by it. */
  readonly id: string;
  readonly receiver: string;
  /** Names of labels by which alerts are gathered into one notification; `all`: each by itself. */
  readonly groupBy: readonly string[] | 'all';
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  readonly matchers: readonly LabelMatcher[];
  /** Whether its next siblings are asked too. */
  readonly continue: boolean;
  readonly routes: readonly Route[];
}

/** While there is an alert that meets `source`, those that meet `target` and are equal to it in `equal` are not told. */
export interface InhibitRule {
  readonly source: readonly LabelMatcher[];
  readonly target: readonly LabelMatcher[];
  readonly equal: readonly string[];
}

/** A secret: given, or in a file that is read when it is needed. */
export interface Secret {
  readonly value?: string | undefined;
  readonly file?: string | undefined;
}

/** One way to tell people. */
export type ChannelConfig =
  | {
      readonly kind: 'webhook';
      readonly sendResolved: boolean;
      readonly url: Secret;
      readonly maxAlerts: number;
    }
  | {
      readonly kind: 'slack';
      readonly sendResolved: boolean;
      readonly url: Secret;
      readonly channel: string | undefined;
      readonly username: string | undefined;
    }
  | ({ readonly kind: 'email'; readonly sendResolved: boolean; readonly to: string } & MailConfig);

/** How mail is handed over. */
export interface MailConfig {
  readonly from: string;
  /** `host:port` of the SMTP server. */
  readonly smarthost: string;
  readonly username: string | undefined;
  readonly password: Secret;
  /** Whether a server without STARTTLS is refused. */
  readonly requireTls: boolean;
}

/** Somebody to tell, and how. */
export interface Receiver {
  readonly name: string;
  readonly channels: readonly ChannelConfig[];
}

/** Who is told of which alerts. */
export interface NotifyConfig {
  readonly resolveTimeoutMs: number;
  readonly route: Route;
  readonly receivers: readonly Receiver[];
  readonly inhibitRules: readonly InhibitRule[];
  /** The document, without its secrets: what `amtool config show` prints. */
  readonly shown: string;
}

/** Alerts are shown, and nobody is told. */
export const tellNobody: string = 'route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n';

/**
 * Reads a configuration in Alertmanager's words (`global`, `route`, `receivers`, `inhibit_rules`), with webhooks, email and
 * Slack. Throws `invalid_argument` / `BAD_ALERT_CONFIG` with everything that is wrong in it, by line and column.
 */
export function readNotifyConfig(file: string, text: string): NotifyConfig {
  const document = new YamlText(file, text);
  const { root } = document;
  root.keys(['global', 'route', 'receivers', 'inhibit_rules']);
  const global = root.key('global');
  if (global.exists)
    global.keys([
      'resolve_timeout',
      'smtp_from',
      'smtp_smarthost',
      'smtp_auth_username',
      'smtp_auth_password',
      'smtp_auth_password_file',
      'smtp_require_tls',
      'slack_api_url',
      'slack_api_url_file',
    ]);
  const receivers = root
    .key('receivers')
    .items()
    .map((each) => receiverAt(each, global));
  const names = new Set<string>();
  for (const [at, { name }] of receivers.entries()) {
    if (names.has(name))
      root
        .key('receivers')
        .items()
        [at]?.problem(`a second receiver ${JSON.stringify(name)}`);
    names.add(name);
  }
  const route = routeAt(root.key('route'), undefined, '0', names);
  const inhibitRules = root.key('inhibit_rules').items().map(inhibitAt);
  document.check('BAD_ALERT_CONFIG');
  const secret = /^(\s*(?:- )?(?:\w*password|slack_api_url|api_url|url):).*$/gm;
  return {
    resolveTimeoutMs: durationAt(global.key('resolve_timeout'), 300_000),
    route,
    receivers,
    inhibitRules,
    shown: text.replaceAll(secret, '$1 <secret>'),
  };
}

function routeAt(place: Place, parent: Route | undefined, id: string, names: ReadonlySet<string>): Route {
  place.keys([
    'receiver',
    'group_by',
    'group_wait',
    'group_interval',
    'repeat_interval',
    'matchers',
    'continue',
    'routes',
  ]);
  const receiver = place.key('receiver').text() ?? parent?.receiver;
  if (receiver === undefined || !names.has(receiver))
    place.key('receiver').expected(`the name of a receiver (${[...names].join(', ') || 'there is none'})`);
  const matchers = matchersAt(place.key('matchers'));
  if (parent === undefined && matchers.length > 0)
    place.key('matchers').problem('expected no matchers in the first route, which takes everything');
  const groupBy = place.key('group_by');
  const route: Omit<Route, 'routes'> = {
    id,
    receiver: receiver ?? '',
    groupBy: groupBy.exists ? groupedBy(groupBy.texts()) : (parent?.groupBy ?? []),
    groupWaitMs: durationAt(place.key('group_wait'), parent?.groupWaitMs ?? 30_000),
    groupIntervalMs: durationAt(place.key('group_interval'), parent?.groupIntervalMs ?? 300_000),
    repeatIntervalMs: durationAt(place.key('repeat_interval'), parent?.repeatIntervalMs ?? 14_400_000),
    matchers,
    continue: place.key('continue').flag(false),
  };
  for (const [key, value] of [
    ['group_interval', route.groupIntervalMs],
    ['repeat_interval', route.repeatIntervalMs],
  ] as const)
    if (value <= 0) place.key(key).expected('a duration of more than 0');
  const routes = place
    .key('routes')
    .items()
    .map((each, at) => routeAt(each, { ...route, routes: [] }, `${id}.${at}`, names));
  return { ...route, routes };
}

function groupedBy(names: readonly string[]): Route['groupBy'] {
  return names.includes('...') ? 'all' : names;
}

function matchersAt(place: Place): readonly LabelMatcher[] {
  return place.items().flatMap((each) => {
    const read = readMatcher(each.requiredText());
    if (typeof read !== 'string') return [read];
    each.problem(read);
    return [];
  });
}

function inhibitAt(place: Place): InhibitRule {
  place.keys(['source_matchers', 'target_matchers', 'equal']);
  return {
    source: matchersAt(place.key('source_matchers')),
    target: matchersAt(place.key('target_matchers')),
    equal: place.key('equal').texts(),
  };
}

function receiverAt(place: Place, global: Place): Receiver {
  place.keys(['name', 'webhook_configs', 'email_configs', 'slack_configs']);
  return {
    name: place.key('name').requiredText(),
    channels: [
      ...place.key('webhook_configs').items().map(webhookAt),
      ...place
        .key('email_configs')
        .items()
        .map((each) => emailAt(each, global)),
      ...place
        .key('slack_configs')
        .items()
        .map((each) => slackAt(each, global)),
    ],
  };
}

function webhookAt(place: Place): ChannelConfig {
  place.keys(['url', 'url_file', 'send_resolved', 'max_alerts']);
  return {
    kind: 'webhook',
    sendResolved: place.key('send_resolved').flag(true),
    url: urlAt(place, 'url', undefined),
    maxAlerts: place.key('max_alerts').whole(0),
  };
}

function slackAt(place: Place, global: Place): ChannelConfig {
  place.keys(['api_url', 'api_url_file', 'channel', 'username', 'send_resolved']);
  return {
    kind: 'slack',
    sendResolved: place.key('send_resolved').flag(false),
    url: urlAt(place, 'api_url', global),
    channel: place.key('channel').text(),
    username: place.key('username').text(),
  };
}

/** The URL of one place, or of all. */
function urlAt(place: Place, key: string, global: Place | undefined): Secret {
  const [own, general] = [secretAt(place, key), global && secretAt(global, `slack_${key}`)];
  const found = own.value === undefined && own.file === undefined ? general : own;
  if (found?.value === undefined && found?.file === undefined) place.key(key).expected('a URL');
  else if (found.value !== undefined && !/^https?:\/\/[^\s/]+/.test(found.value))
    place.key(key).problem('expected a URL of http or https');
  return found ?? {};
}

function secretAt(place: Place, key: string): Secret {
  const value = place.key(key).text();
  const file = place.key(`${key}_file`).text();
  if (value !== undefined && file !== undefined) place.problem(`expected either ${key} or ${key}_file`);
  return { value, file };
}

function emailAt(place: Place, global: Place): ChannelConfig {
  place.keys([
    'to',
    'from',
    'smarthost',
    'auth_username',
    'auth_password',
    'auth_password_file',
    'require_tls',
    'send_resolved',
  ]);
  const own = secretAt(place, 'auth_password');
  const required = (key: string): string => {
    const found = place.key(key).text() ?? global.key(`smtp_${key}`).text();
    if (found === undefined) place.key(key).expected(`a text, here or as global.smtp_${key}`);
    return found ?? '';
  };
  const smarthost = required('smarthost');
  if (smarthost !== '' && !/^.+:\d{1,5}$/.test(smarthost)) place.key('smarthost').expected('host:port');
  return {
    kind: 'email',
    sendResolved: place.key('send_resolved').flag(false),
    to: place.key('to').requiredText(),
    from: required('from'),
    smarthost,
    username: place.key('auth_username').text() ?? global.key('smtp_auth_username').text(),
    password:
      own.value === undefined && own.file === undefined ? secretAt(global, 'smtp_auth_password') : own,
    requireTls: place.key('require_tls').flag(global.key('smtp_require_tls').flag(true)),
  };
}
