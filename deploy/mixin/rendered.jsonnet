// What `render` writes to disk: every rule group and every dashboard, keyed by the file it belongs in.
local mixin = import 'mixin.libsonnet';
{
  rules: {
    [group.name + '.yml']: { groups: [group] }
    for group in mixin.prometheusRules.groups + mixin.prometheusAlerts.groups
  },
  dashboards: mixin.grafanaDashboards,
}
