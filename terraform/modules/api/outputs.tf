output "url" {
  description = "Where the API answers; requests are signed for the service execute-api."
  value       = aws_apigatewayv2_api.this.api_endpoint
}

output "api_id" {
  description = "Id of the API."
  value       = aws_apigatewayv2_api.this.id
}

output "invoke_policy" {
  description = "Policy for whoever may use the whole API."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Api"
      Effect   = "Allow"
      Action   = "execute-api:Invoke"
      Resource = "${local.execution_arn}/$default/*"
    }]
  })
}

output "read_policy" {
  description = "Policy for whoever may read jobs and findings, and change nothing."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Read"
      Effect   = "Allow"
      Action   = "execute-api:Invoke"
      Resource = "${local.execution_arn}/$default/GET/*"
    }]
  })
}

output "role_arn" {
  description = "Role of the API function, for the trust policies of member accounts."
  value       = module.api.role_arn
}

output "function_names" {
  description = "The functions behind the API."
  value       = [for function in local.functions : function.name]
}
