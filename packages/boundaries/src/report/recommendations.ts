import { strongCoupling } from '../grouping/strong.ts';
import type { Constraints } from '../model/system.ts';
import type { EntityOwner } from './ownership.ts';
import type { Price } from './price.ts';
import type { ServiceReport } from './services.ts';

/** Something to do or to look at, and the numbers that say so. */
export interface Recommendation {
  readonly kind:
    | 'ownership'
    | 'strong-bond-cut'
    | 'mixed-teams'
    | 'saga'
    | 'chatty'
    | 'shared'
    | 'unstable'
    | 'too-small'
    | 'cycle'
    | 'count';
  readonly subject: string;
  readonly advice: string;
  readonly reason: string;
}

/** What recommendations are made from. */
export interface Findings {
  readonly services: readonly ServiceReport[];
  readonly owners: readonly EntityOwner[];
  readonly price: Price;
  readonly constraints: Constraints;
}

/** All recommendations, what costs most first. */
export function recommendationsOf(findings: Findings): Recommendation[] {
  const { services, owners, price, constraints } = findings;
  return [
    ...owners.filter(({ conflict }) => conflict).map(oneOwner),
    ...cyclesOf(services),
    ...price.useCases.filter(({ becomesSaga }) => becomesSaga).map(asSaga),
    ...strongCuts(services),
    ...price.useCases
      .filter(({ remoteCalls, remoteCallsToday }) => remoteCalls - remoteCallsToday > 5)
      .map(chatty),
    ...services.filter(({ teams }) => teams.length > 1).map(oneTeam),
    ...services.filter(isShared(services)).map(shared),
    ...services.filter(({ stability }) => stability < 0.7).map(unstable),
    ...services.flatMap((service) => tooSmall(service, constraints)),
    ...countOf(services),
  ];
}

function oneOwner({ entity, owner, writers, evidence }: EntityOwner): Recommendation {
  const others = writers.filter((writer) => writer !== owner).join(', ');
  return {
    kind: 'ownership',
    subject: entity,
    advice: `let ${owner} own ${entity}; ${others} should ask it to write, by a call or a message`,
    reason: `${writers.length} services write it: ${evidence}`,
  };
}

function asSaga({ name, writesIn }: Price['useCases'][number]): Recommendation {
  return {
    kind: 'saga',
    subject: name,
    advice: `make ${name} a saga with a compensation for each step, or keep ${writesIn.join(' and ')} together`,
    reason: `it writes in one transaction today, and in ${writesIn.length} services then: ${writesIn.join(', ')}`,
  };
}

function chatty({ name, remoteCalls, remoteCallsToday }: Price['useCases'][number]): Recommendation {
  return {
    kind: 'chatty',
    subject: name,
    advice: 'fetch in one call what is fetched in many, or move what is called most to the caller',
    reason: `${round(remoteCalls)} calls between services each time, ${round(remoteCallsToday)} today`,
  };
}

function strongCuts(services: readonly ServiceReport[]): Recommendation[] {
  const seen = new Set<string>();
  return services.flatMap(({ cut }) =>
    cut.flatMap(({ a, b, coupling, because }): Recommendation[] => {
      if (coupling <= strongCoupling || seen.has(`${a}\n${b}`)) return [];
      seen.add(`${a}\n${b}`);
      const advice = `look again at the boundary between ${a} and ${b}`;
      return [
        {
          kind: 'strong-bond-cut',
          subject: `${a}, ${b}`,
          advice,
          reason: `${round(coupling)}: ${because.join('; ')}`,
        },
      ];
    }),
  );
}

function oneTeam({ name, teams }: ServiceReport): Recommendation {
  const all = teams.map(({ team, capabilities }) => `${team} (${capabilities})`).join(', ');
  return {
    kind: 'mixed-teams',
    subject: name,
    advice: `give ${name} to ${teams[0]?.team}, or ask for one team per service (constraints.oneTeamPerService)`,
    reason: `its capabilities belong to ${teams.length} teams: ${all}`,
  };
}

/** Called by most of the others, which the capability itself is not coupled with in particular. */
function isShared(services: readonly ServiceReport[]): (service: ServiceReport) => boolean {
  return ({ name }) =>
    services.length > 4 && services.filter(({ calls }) => calls.includes(name)).length > services.length / 2;
}

function shared({ name, owns }: ServiceReport): Recommendation {
  return {
    kind: 'shared',
    subject: name,
    advice:
      owns.length === 0
        ? `make ${name} a library, since it keeps no data`
        : `make ${name} the most available service, or let the others keep copies of what they need`,
    reason: 'more than half of the services call it: when it is down, so are they',
  };
}

function unstable({ name, stability }: ServiceReport): Recommendation {
  return {
    kind: 'unstable',
    subject: name,
    advice: `decide on ${name} by what you know: the evidence is thin`,
    reason: `where all couplings change by up to a tenth, only ${round(stability * 100)} % of its bonds are kept or cut alike`,
  };
}

function tooSmall(service: ServiceReport, { minSize }: Constraints): Recommendation[] {
  if (minSize === undefined || service.capabilities.length >= minSize) return [];
  return [
    {
      kind: 'too-small',
      subject: service.name,
      advice: 'loosen a constraint: no other service may take it in',
      reason: `it has ${service.capabilities.length} capabilities, and minSize is ${minSize}`,
    },
  ];
}

/** Services that call each other in a circle can only be changed and started together. */
function cyclesOf(services: readonly ServiceReport[]): Recommendation[] {
  const calls = new Map(services.map(({ name, calls }) => [name, calls]));
  return services.flatMap(({ name, calls: own }) =>
    own
      .filter((other) => name < other && calls.get(other)?.includes(name) === true)
      .map(
        (other): Recommendation => ({
          kind: 'cycle',
          subject: `${name}, ${other}`,
          advice: `turn one direction round: let ${other} publish what ${name} needs to know, or join them`,
          reason: 'they call each other, so neither works or changes without the other',
        }),
      ),
  );
}

function countOf(services: readonly ServiceReport[]): Recommendation[] {
  const teams = new Set(services.flatMap((service) => service.teams.map(({ team }) => team))).size;
  if (teams === 0 || services.length <= 4 * teams) return [];
  return [
    {
      kind: 'count',
      subject: 'all services',
      advice: 'start with fewer services: see the alternatives',
      reason: `${services.length} services for ${teams} ${teams === 1 ? 'team' : 'teams'}`,
    },
  ];
}

function round(value: number): string {
  return value.toFixed(value < 1 ? 2 : value < 10 ? 1 : 0);
}
