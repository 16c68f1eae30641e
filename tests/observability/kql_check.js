// Parses KQL with Microsoft's own parser, against the tables that it is given.
//
// In, on standard input: {"module": directory of the package, "tables": {table: {column: type}}, "queries": {name: text}}.
// Out: {name: first error} of those that do not hold; the errors after the first mostly follow from it.
"use strict";

const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
require(`${asked.module}/bridge.min.js`);
require(`${asked.module}/Kusto.Language.Bridge.min.js`);
/* global Kusto */
const { GlobalState, KustoCode, Symbols } = Kusto.Language;

const tables = Object.entries(asked.tables).map(([name, columns]) => {
  const listed = Object.entries(columns).map(([column, type]) => `${column}: ${type}`);
  return Symbols.TableSymbol.From(`(${listed.join(", ")})`).WithName(name);
});
const state = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("workspace", tables));

const answers = {};
for (const [name, text] of Object.entries(asked.queries)) {
  const found = KustoCode.ParseAndAnalyze(text, state).GetDiagnostics();
  const errors = [];
  for (let index = 0; index < found.Count; index++) {
    const each = found.getItem(index);
    if (each.Severity === "Error") errors.push(each);
  }
  errors.sort((one, other) => one.Start - other.Start);
  if (errors.length) {
    const line = text.slice(0, errors[0].Start).split("\n").length;
    answers[name] = `line ${line}: ${errors[0].Message}`;
  }
}
process.stdout.write(JSON.stringify(answers));
