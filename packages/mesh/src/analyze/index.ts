export { type Analysis, analyze, type AnalyzeOptions } from './analyze.ts';
export { type AnalysisCode, analysisCatalogue, type AnalysisEntry } from './catalogue.ts';
