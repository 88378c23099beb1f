import { autocompletion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import {
  bracketMatching,
  defaultHighlightStyle,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting,
} from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState, type Text } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { type ReactNode, useEffect, useRef } from 'react';
import { completionsAt, type KindTerms } from './complete.ts';

/** What is wrong at a place; both count from 1. */
export interface Mark {
  readonly line: number;
  readonly column: number;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
}

/** What an editor is given. */
export interface YamlEditorProps {
  readonly label: string;
  /** What it begins with; another `key` begins anew. */
  readonly first: string;
  readonly onChange: (text: string) => void;
  readonly marks: readonly Mark[];
  readonly terms?: readonly KindTerms[];
}

const dark = HighlightStyle.define(
  defaultHighlightStyle.specs.map((spec) => ({ ...spec, ...(spec.color && { color: lighter(spec.color) }) })),
  { themeType: 'dark' },
);

/** Two thirds of the way to white, so that it can be read on a dark ground. `#abc` or `#aabbcc`. */
function lighter(color: string): string {
  const digits = color.length === 4 ? color.replaceAll(/[0-9a-f]/gi, '$&$&') : color;
  const parts = [1, 3, 5].map((at) => Number.parseInt(digits.slice(at, at + 2), 16));
  return `#${parts
    .map((part) =>
      Math.round(part + (255 - part) * 0.66)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}

/** YAML with line numbers, what is wrong marked where it is, and keys completed. Escape and then Tab leaves it. */
export function YamlEditor({ label, first, onChange, marks, terms = [] }: YamlEditorProps): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const told = useRef({ onChange, terms });
  told.current = { onChange, terms };
  useEffect(() => {
    if (place.current === null) return undefined;
    const isDark = document.documentElement.dataset['mantineColorScheme'] === 'dark';
    const made = new EditorView({
      doc: first,
      parent: place.current,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        highlightActiveLine(),
        lintGutter(),
        yaml(),
        syntaxHighlighting(isDark ? dark : defaultHighlightStyle),
        autocompletion({ override: [(context) => completed(context, told.current.terms)] }),
        keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap, indentWithTab]),
        EditorState.tabSize.of(2),
        EditorView.theme({}, { dark: isDark }),
        EditorView.contentAttributes.of({ 'aria-label': label, 'data-editor': '', spellcheck: 'false' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) told.current.onChange(update.state.doc.toString());
        }),
      ],
    });
    // It scrolls, so it must be reachable by keyboard where nothing in it is.
    made.scrollDOM.tabIndex = 0;
    view.current = made;
    return () => made.destroy();
  }, [first, label]);
  useEffect(() => {
    const { current } = view;
    if (current === undefined) return;
    current.dispatch(
      setDiagnostics(
        current.state,
        marks.map((mark) => diagnosticOf(current.state.doc, mark)),
      ),
    );
  }, [marks, first]);
  return <div className="yaml-editor" ref={place} />;
}

function completed(context: CompletionContext, terms: readonly KindTerms[]): CompletionResult | null {
  const word = context.matchBefore(/[\w.-]*/);
  const options = completionsAt(context.state.doc.toString(), context.pos, terms);
  if (options.length === 0 || (word?.from === word?.to && !context.explicit)) return null;
  return {
    from: word?.from ?? context.pos,
    options: options.map(({ label, what, apply }) => ({ label, detail: what, apply })),
    validFor: /^[\w.-]*$/,
  };
}

/** From its column to the end of the word there. A finding may be of a text that was longer. */
function diagnosticOf(text: Text, { line, column, severity, message }: Mark): Diagnostic {
  const { from, to, text: content } = text.line(Math.min(Math.max(1, line), text.lines));
  const start = Math.min(from + Math.max(0, column - 1), to);
  const rest = /^[^\s,:}\]]*/.exec(content.slice(start - from))?.[0].length ?? 0;
  return { from: start, to: Math.min(to, start + Math.max(1, rest)), severity, message };
}
