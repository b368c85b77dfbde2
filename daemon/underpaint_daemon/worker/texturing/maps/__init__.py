"""What a painted surface says about its material: relief, light, occlusion, tangents."""
