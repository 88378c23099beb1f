import { type Layer, stack } from '@heddle/kernel';

/** A layer of a stack and the reason for its place, which people can be shown. */
export interface NamedLayer<Req, Res> {
  readonly name: string;
  /** Why it stands above its lower and below its upper neighbour. */
  readonly why: string;
  /** Undefined: this stack goes without it. */
  readonly layer: Layer<Req, Res> | undefined;
}

/** One line of a stack as it is shown. */
export interface LayerLine {
  readonly name: string;
  readonly why: string;
  /** False for one that this stack goes without. */
  readonly on: boolean;
}

/** Joins those that are there, the first outermost. */
export function stackOf<Req, Res>(layers: readonly NamedLayer<Req, Res>[]): Layer<Req, Res> {
  return stack(...layers.flatMap(({ layer }) => (layer === undefined ? [] : [layer])));
}

/** The stack as data: this very list, so that it cannot differ from what runs. */
export function linesOf<Req, Res>(layers: readonly NamedLayer<Req, Res>[]): LayerLine[] {
  return layers.map(({ name, why, layer }) => ({ name, why, on: layer !== undefined }));
}
