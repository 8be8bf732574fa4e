// Constructors for rules: the one place that knows what every alert must carry.
{
  group(name, rules):: { name: name, rules: rules },

  record(name, expr):: { record: name, expr: expr },

  // `labels` only where two rules share a name: it tells them apart.
  alert(config, name, severity, duration, expr, summary, description, labels={}):: {
    alert: name,
    expr: expr,
    'for': duration,
    labels: { severity: severity } + labels,
    annotations: {
      summary: summary,
      description: description,
      runbook_url: config.runbookBase + name + '.md',
    },
  },
}
