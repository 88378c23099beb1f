import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';

/** What the console can speak. */
export type Language = 'en' | 'zh';

/** Gives a text in the language of the page; `{name}` stands for a value. */
export type Translate = (text: string, values?: Readonly<Record<string, string | number>>) => string;

interface Spoken {
  readonly language: Language;
  readonly speak: (language: Language) => void;
  readonly t: Translate;
}

const Context = createContext<Spoken | undefined>(undefined);
const key = 'heddle-language';

function first(): Language {
  const kept = localStorage.getItem(key);
  if (kept === 'en' || kept === 'zh') return kept;
  return navigator.language.startsWith('zh') ? 'zh' : 'en';
}

/** The language of all that is inside: the one that was chosen, else the browser's. */
export function LanguageProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [language, setLanguage] = useState<Language>(first);
  const [chinese, setChinese] = useState<Readonly<Record<string, string>>>();
  useEffect(() => {
    // Fetched by those who read it alone.
    if (language === 'zh') void import('./chinese.ts').then((file) => setChinese(file.chinese));
  }, [language]);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);
  const spoken = useMemo<Spoken>(
    () => ({
      language,
      speak: (next) => {
        localStorage.setItem(key, next);
        setLanguage(next);
      },
      t: (text, values = {}) => {
        const said = language === 'zh' ? (chinese?.[text] ?? text) : text;
        return said.replaceAll(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
      },
    }),
    [language, chinese],
  );
  if (language === 'zh' && chinese === undefined) return null;
  return <Context value={spoken}>{children}</Context>;
}

/** The language of the page and its texts. */
export function useLanguage(): Spoken {
  const spoken = useContext(Context);
  if (spoken === undefined) throw new Error('no language here');
  return spoken;
}

/** The texts of the page. */
export function useTexts(): Translate {
  return useLanguage().t;
}
