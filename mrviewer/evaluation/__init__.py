"""Evaluating methods: under which condition, by which figures, and whether one is better than another.

A `mrviewer.evaluation.conditions.SamplingCondition` says how a study is sampled,
`mrviewer.evaluation.measuring.measure_study` runs a method under it and holds the result against what is known,
`mrviewer.metrics.metric_list.METRICS` says what each figure is called and how it is shown, and
`mrviewer.evaluation.paired` compares two methods on the same subjects. Training, experiments, fine-tuning, the commands
and the viewer all go through these.
"""
