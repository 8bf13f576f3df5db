################################################################################
# How many workers: BacklogBatches for each running task, and the step from zero
# docs/SCALING.md shows what these numbers do; benchmarks/simulate_scaling.py reads them
################################################################################

resource "aws_appautoscaling_target" "worker" {
  count = var.autoscaling ? 1 : 0

  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.worker.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.min_tasks
  max_capacity       = var.max_tasks

  tags = var.tags
}

# Not SQS's own depth: the window bounds what stands in the lanes, and a metric of eight lanes exceeds an alarm's ten.
resource "aws_appautoscaling_policy" "backlog" {
  count = var.autoscaling ? 1 : 0

  name               = "backlog-per-task"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.worker[0].service_namespace
  resource_id        = aws_appautoscaling_target.worker[0].resource_id
  scalable_dimension = aws_appautoscaling_target.worker[0].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.scaling.backlog_per_task
    scale_out_cooldown = var.scaling.scale_out_cooldown_s
    scale_in_cooldown  = var.scaling.scale_in_cooldown_s

    customized_metric_specification {
      metrics {
        id          = "backlog"
        return_data = false

        metric_stat {
          stat = "Maximum"

          metric {
            namespace   = var.metrics_namespace
            metric_name = "BacklogBatches"
          }
        }
      }

      metrics {
        id          = "running"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "RunningTaskCount"

            dimensions {
              name  = "ClusterName"
              value = aws_ecs_cluster.this.name
            }

            dimensions {
              name  = "ServiceName"
              value = aws_ecs_service.worker.name
            }
          }
        }
      }

      metrics {
        id          = "per_task"
        label       = "Batches for each running task"
        expression  = "backlog / IF(FILL(running, 0) > 0, running, 1)"
        return_data = true
      }
    }
  }
}

# At zero tasks the step is the quick way up: one data point, not the three of target tracking.
resource "aws_appautoscaling_policy" "from_zero" {
  count = var.autoscaling && var.min_tasks == 0 ? 1 : 0

  name               = "from-zero"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.worker[0].service_namespace
  resource_id        = aws_appautoscaling_target.worker[0].resource_id
  scalable_dimension = aws_appautoscaling_target.worker[0].scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = var.scaling.scale_out_cooldown_s

    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = var.scaling.step_from_zero
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "from_zero" {
  count = var.autoscaling && var.min_tasks == 0 ? 1 : 0

  alarm_name          = "${var.name}-work-and-no-worker"
  alarm_description   = "Batches wait and no task runs: starts the first ones. Not for people."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.from_zero[0].arn]

  metric_query {
    id          = "waiting"
    label       = "Batches that wait while no task runs"
    expression  = "IF(FILL(running, 0) > 0, 0, backlog)"
    return_data = true
  }

  metric_query {
    id = "backlog"

    metric {
      namespace   = var.metrics_namespace
      metric_name = "BacklogBatches"
      period      = 60
      stat        = "Maximum"
    }
  }

  metric_query {
    id = "running"

    metric {
      namespace   = "ECS/ContainerInsights"
      metric_name = "RunningTaskCount"
      period      = 60
      stat        = "Average"
      dimensions = {
        ClusterName = aws_ecs_cluster.this.name
        ServiceName = aws_ecs_service.worker.name
      }
    }
  }

  tags = var.tags
}
